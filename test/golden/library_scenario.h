#pragma once

#include "golden/bindings.h"

namespace quire::golden {

/// Calls every operation of the API, with success and with the errors that it declares. Every binding gets the same
/// calls, so that the outcomes can be compared.
void walk_through_the_api(Client& client);

/// The same for operations that new REST does not have.
void walk_through_the_older_bindings(Client& client);

/// The same for operations that only this server has.
void walk_through_our_own(Client& client);

}  // namespace quire::golden

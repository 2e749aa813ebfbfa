#pragma once

#include "golden/golden_server.h"
#include "golden/transcript.h"

namespace quire::golden {

/// The calls of govc, terraform and pyVmomi on the SOAP façade (wire-protocols.md §4), in the shapes that they send.
void walk_through_soap(GoldenServer& server, Transcript& transcript);

}  // namespace quire::golden

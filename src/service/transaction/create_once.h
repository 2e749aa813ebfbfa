#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/transaction/transaction.h"

namespace quire::service {

/// A call that makes something and that its client may repeat (content-library-api.md §1.10, §28.1).
struct Creation {
  std::string_view operation;  ///< `com.vmware.content.library.item.create`
  const std::optional<std::string>& client_token;
  std::string spec_digest;  ///< of all that the client asked for
  /// NotFound unless what the spec names exists. Asked before a token is refused: existence comes before values
  /// (§28.4). Empty: it names nothing, or that was found before.
  std::function<base::Result<void>(Transaction&)> find_container = {};
};

struct Created {
  std::string id;
  bool repeated = false;  ///< an earlier call made it
};

/// A change that makes what `create` returns the id of, once per (user, operation, token): a repeated token returns the
/// id that the first call made. InvalidArgument for a token that is no UUID or came with another spec before; else as
/// write().
base::Result<Created> create_once(Context& context, const content::Caller& caller, const Creation& creation,
                                  const std::function<base::Result<std::string>(Transaction&)>& create);

/// A digest over the parts of a spec. Parts are length-prefixed, so ("a","bc") differs from ("ab","c").
std::string spec_digest(const std::vector<std::optional<std::string>>& parts);

}  // namespace quire::service

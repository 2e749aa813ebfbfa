#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/type.h"
#include "base/error.h"
#include "base/result.h"
#include "content/access.h"

namespace quire::service {
struct Services;
}

namespace quire::api {

struct Credentials {
  std::string user;
  std::string password;
};

/// What a request brings besides its input.
struct CallContext {
  content::Caller caller;                  ///< of operations that need a login; for others the origin only
  std::optional<Credentials> credentials;  ///< Basic, user_pass
  std::string base_url;  ///< `https://host:port` as the client reaches us; handed-out URLs begin with it
};

/// What an operation can be about.
enum class ObjectKind { library, library_item, update_session, download_session, trusted_certificate, task };

/// An object that a call names by its identifier. It exists, as far as the caller may see it, before any other value of
/// the input is judged (content-library-api.md §28.4).
struct NamedObject {
  ObjectKind kind;
  std::string_view member;  ///< of the input, `library_item_id`; of its spec, `create_spec.library_id`
};

/// A privilege that must be told: an operation without one does not compile.
class NeededPrivilege {
 public:
  constexpr NeededPrivilege(content::Privilege privilege)
      : privilege_(privilege) {}                                        // NOLINT(google-explicit-constructor)
  constexpr operator content::Privilege() const { return privilege_; }  // NOLINT(google-explicit-constructor)

 private:
  content::Privilege privilege_;
};

/// The facts of one operation, from which every wire, OpenAPI and the documents derive (content-library-api.md
/// §1.2–§1.4).
struct OperationFacts {
  std::string service{};      ///< `com.vmware.content.library.item.update_session`
  std::string name{};         ///< `keep_alive`
  std::string method{};       ///< new REST: `POST`
  std::string path{};         ///< new REST below /api: `/content/library/item/update-session/{update_session_id}`
  std::string action{};       ///< new REST `?action=`; empty for none
  int status = 200;           ///< new REST on success
  NeededPrivilege privilege;  ///< §1.9, on the objects that the input names, else on the root
  std::vector<base::ErrorKind> errors{};  ///< declared; Unauthenticated and Unauthorized go without saying
  std::string summary{};                  ///< one sentence for OpenAPI and the documents
  std::string_view creates{};             ///< the type of what it makes (identifiers.h); empty: no resource
  bool needs_login = true;
  bool in_new_rest = true;      ///< false: served on legacy REST and JSON-RPC only
  bool legacy_at_path = false;  ///< legacy REST: at /rest and `path`, as services since 6.7.2 are (§1.2); `list` as GET
  bool members_in_body = false;  ///< new REST: the body names its member also where that is one structure
  bool by_action_only = false;   ///< new REST: its method serves actions alone; without one it is a wrong one
  bool optional_body = false;    ///< REST: a missing body stands for unset members even where one is mandatory (`fail`)
};

/// One operation, defined once. `input` is a structure whose members are the operation's parameters in order; the new
/// REST form derives from it: members named in `path` come from the path; `client_token` from the query or the
/// `Client-Token` header; the rest from the query for GET and DELETE; otherwise, when exactly one is left and it is a
/// structure (or an optional one), it is the whole body; else the body is an object of them. The legacy form derives
/// from `service` and `name` (§1.2): a first member of mandatory string type, in any operation but `list`, is the ID in
/// the path.
struct Operation {
  OperationFacts facts;
  std::string full_name{};             ///< `com.vmware.content.library.item.get`
  std::vector<NamedObject> objects{};  ///< in the order of the input
  const Type* input = nullptr;
  const Type* output = nullptr;  ///< nullptr: void
  std::function<std::shared_ptr<void>()> make_input{};
  std::function<std::shared_ptr<void>()> make_output{};  ///< empty for void
  /// Runs it. `output` is a value of type `output`, or nullptr for void. Blocking; any thread.
  std::function<base::Result<void>(service::Services&, const CallContext&, const void* input, void* output)> run{};
};

/// All operations, in the order of the reference. Immutable; the same on every call.
const std::vector<Operation>& all_operations();

/// nullptr when there is none.
const Operation* find_operation(std::string_view service, std::string_view name);

}  // namespace quire::api

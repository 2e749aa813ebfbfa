#include "api/inputs.h"
#include "api/operations.h"
#include "api/type.h"
#include "service/services.h"

/// Quotas of libraries and users; operations of our own (docs/quotas.md).
namespace quire::api {

template <>
inline constexpr std::string_view enumeration_name<service::QuotaSource> = "com.quire.quota.source";

struct QuotaInfo {
  static constexpr std::string_view canonical_name = "com.quire.quota.info";
  std::string owner;                  ///< identifier of the library, or name of the user
  std::optional<std::int64_t> bytes;  ///< unset: no limit
  std::optional<std::int64_t> items;
  std::int64_t bytes_used = 0;
  std::int64_t bytes_reserved = 0;  ///< by active update sessions and copies that run
  std::int64_t items_used = 0;
  service::QuotaSource source = service::QuotaSource::NONE;  ///< of the limits: own ones, or the default's
};
struct QuotaSpec {
  static constexpr std::string_view canonical_name = "com.quire.quota.set_spec";
  std::optional<std::int64_t> bytes;
  std::optional<std::int64_t> items;
};
struct LibraryQuotaInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library"}};
  std::string library;
};
// These need a privilege on the root, not on the library.
struct LibraryQuotaSetInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string library;
  QuotaSpec set_spec;
};
struct LibraryQuotaDeleteInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string library;
};
struct UserQuotaSetInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string user;
  QuotaSpec set_spec;
};
BOOST_DESCRIBE_STRUCT(QuotaInfo, (), (owner, bytes, items, bytes_used, bytes_reserved, items_used, source))
BOOST_DESCRIBE_STRUCT(QuotaSpec, (), (bytes, items))
BOOST_DESCRIBE_STRUCT(LibraryQuotaInput, (), (library))
BOOST_DESCRIBE_STRUCT(LibraryQuotaSetInput, (), (library, set_spec))
BOOST_DESCRIBE_STRUCT(LibraryQuotaDeleteInput, (), (library))
BOOST_DESCRIBE_STRUCT(UserQuotaSetInput, (), (user, set_spec))

namespace {

using base::ErrorKind;
using base::Result;
using content::LibraryId;
using content::Privilege;
using content::QuotaKind;
using content::QuotaOwner;
constexpr auto libraries_service = "com.quire.quota.libraries";
constexpr auto users_service = "com.quire.quota.users";

QuotaInfo to_api(const service::QuotaInForce& quota) {
  return {quota.owner, quota.bytes_max, quota.items_max, quota.bytes, quota.reserved, quota.items, quota.source};
}

Result<QuotaInfo> to_api(const Result<service::QuotaInForce>& quota) {
  if (!quota) return quota.error();
  return to_api(*quota);
}

Result<std::vector<QuotaInfo>> to_api(const Result<std::vector<service::QuotaInForce>>& quotas) {
  if (!quotas) return quotas.error();
  std::vector<QuotaInfo> out;
  for (const auto& quota : *quotas) out.push_back(to_api(quota));
  return out;
}

struct LibraryQuotaList {
  using Input = NoInput;
  using Output = std::vector<QuotaInfo>;
  static OperationFacts facts() {
    return {.service = libraries_service,
            .name = "list",
            .method = "GET",
            .path = "/quire/quota/libraries",
            .privilege = Privilege::Authorization_ModifyPermissions,
            .summary = "The quotas of libraries, with what is used of each."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input&) {
    return to_api(services.quotas.list(call.caller, QuotaKind::LIBRARY));
  }
};

struct LibraryQuotaGet {
  using Input = LibraryQuotaInput;
  using Output = QuotaInfo;
  static OperationFacts facts() {
    return {.service = libraries_service,
            .name = "get",
            .method = "GET",
            .path = "/quire/quota/libraries/{library}",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found},
            .summary = "What a library uses, and the limits of its quota when it has one."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    return to_api(services.quotas.of_library(call.caller, LibraryId(input.library)));
  }
};

struct LibraryQuotaSet {
  using Input = LibraryQuotaSetInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = libraries_service,
            .name = "set",
            .method = "PUT",
            .path = "/quire/quota/libraries/{library}",
            .status = 204,
            .privilege = Privilege::Authorization_ModifyPermissions,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument, ErrorKind::unable_to_allocate_resource},
            .summary = "Limits the bytes and items of a library; replaces the limits it had."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.quotas.set_of_library(call.caller, LibraryId(input.library),
                                          {input.set_spec.items, input.set_spec.bytes});
  }
};

struct LibraryQuotaDelete {
  using Input = LibraryQuotaDeleteInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = libraries_service,
            .name = "delete",
            .method = "DELETE",
            .path = "/quire/quota/libraries/{library}",
            .status = 204,
            .privilege = Privilege::Authorization_ModifyPermissions,
            .errors = {ErrorKind::not_found},
            .summary = "Takes the quota of a library away."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.quotas.remove(call.caller, QuotaOwner::of_library(LibraryId(input.library)));
  }
};

struct UserQuotaList {
  using Input = NoInput;
  using Output = std::vector<QuotaInfo>;
  static OperationFacts facts() {
    return {.service = users_service,
            .name = "list",
            .method = "GET",
            .path = "/quire/quota/users",
            .privilege = Privilege::Authorization_ModifyPermissions,
            .summary = "The quotas of users, with what is used of each."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input&) {
    return to_api(services.quotas.list(call.caller, QuotaKind::USER));
  }
};

struct UserQuotaGet {
  using Input = UserNameInput;
  using Output = QuotaInfo;
  static OperationFacts facts() {
    return {.service = users_service,
            .name = "get",
            .method = "GET",
            .path = "/quire/quota/users/{user}",
            .privilege = Privilege::Authorization_ModifyPermissions,
            .errors = {ErrorKind::invalid_argument},
            .summary = "What the items use that a user made, and the limits of the user's quota when there is one."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    return to_api(services.quotas.of_user(call.caller, input.user));
  }
};

struct UserQuotaSet {
  using Input = UserQuotaSetInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = users_service,
            .name = "set",
            .method = "PUT",
            .path = "/quire/quota/users/{user}",
            .status = 204,
            .privilege = Privilege::Authorization_ModifyPermissions,
            .errors = {ErrorKind::invalid_argument, ErrorKind::unable_to_allocate_resource},
            .summary = "Limits the bytes and items of what a user makes; replaces the limits there were."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.quotas.set_of_user(call.caller, input.user, {input.set_spec.items, input.set_spec.bytes});
  }
};

struct UserQuotaDelete {
  using Input = UserNameInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = users_service,
            .name = "delete",
            .method = "DELETE",
            .path = "/quire/quota/users/{user}",
            .status = 204,
            .privilege = Privilege::Authorization_ModifyPermissions,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument},
            .summary = "Takes the quota of a user away."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.quotas.remove(call.caller, QuotaOwner::of_user(input.user));
  }
};

struct OwnQuotaGet {
  using Input = NoInput;
  using Output = QuotaInfo;
  static OperationFacts facts() {
    return {
        .service = "com.quire.quota.own",
        .name = "get",
        .method = "GET",
        .path = "/quire/quota/own",
        .privilege = Privilege::System_Anonymous,
        .summary = "What the items use that the caller made, and the limits of the caller's quota when there is one."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input&) {
    return to_api(services.quotas.own(call.caller));
  }
};

}  // namespace

void add_quota_operations(std::vector<Operation>& all) {
  all.push_back(bind<LibraryQuotaList>());
  all.push_back(bind<LibraryQuotaGet>());
  all.push_back(bind<LibraryQuotaSet>());
  all.push_back(bind<LibraryQuotaDelete>());
  all.push_back(bind<UserQuotaList>());
  all.push_back(bind<UserQuotaGet>());
  all.push_back(bind<UserQuotaSet>());
  all.push_back(bind<UserQuotaDelete>());
  all.push_back(bind<OwnQuotaGet>());
}

}  // namespace quire::api

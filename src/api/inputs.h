#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "api/describe.h"

/// Inputs that several operations share. Every input is the structure `operation-input` (content-library-api.md §1.4).
namespace quire::api {

inline constexpr std::string_view operation_input = "operation-input";

struct NoInput {
  static constexpr std::string_view canonical_name = operation_input;
};
struct UserNameInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string user;
};
struct LibraryIdInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library_id"}};
  std::string library_id;
};
struct LibraryItemIdInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "library_item_id"}};
  std::string library_item_id;
};
struct OptionalLibraryItemIdInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "library_item_id"}};
  std::optional<std::string> library_item_id;
};
struct UpdateSessionIdInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::update_session, "update_session_id"}};
  std::string update_session_id;
};
struct UpdateSessionFileNameInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::update_session, "update_session_id"}};
  std::string update_session_id;
  std::string file_name;
};
struct DownloadSessionIdInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::download_session, "download_session_id"}};
  std::string download_session_id;
};

BOOST_DESCRIBE_STRUCT(NoInput, (), ())
BOOST_DESCRIBE_STRUCT(UserNameInput, (), (user))
BOOST_DESCRIBE_STRUCT(LibraryIdInput, (), (library_id))
BOOST_DESCRIBE_STRUCT(LibraryItemIdInput, (), (library_item_id))
BOOST_DESCRIBE_STRUCT(OptionalLibraryItemIdInput, (), (library_item_id))
BOOST_DESCRIBE_STRUCT(UpdateSessionIdInput, (), (update_session_id))
BOOST_DESCRIBE_STRUCT(UpdateSessionFileNameInput, (), (update_session_id, file_name))
BOOST_DESCRIBE_STRUCT(DownloadSessionIdInput, (), (download_session_id))

}  // namespace quire::api

#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "base/enumeration.h"

namespace quire::content {

/// What a privilege is needed on (content-library-api.md §1.9).
QUIRE_ENUM(PrivilegeTarget, ROOT, LIBRARY, ITEM)

// clang-format off
#define QUIRE_PRIVILEGES(PRIVILEGE)                               \
  PRIVILEGE(System, Anonymous, ROOT)                              \
  PRIVILEGE(System, View, LIBRARY)                                \
  PRIVILEGE(System, Read, LIBRARY)                                \
  PRIVILEGE(ContentLibrary, GetConfiguration, ROOT)               \
  PRIVILEGE(ContentLibrary, UpdateConfiguration, ROOT)            \
  PRIVILEGE(ContentLibrary, TypeIntrospection, ROOT)              \
  PRIVILEGE(ContentLibrary, CreateLocalLibrary, ROOT)             \
  PRIVILEGE(ContentLibrary, CreateSubscribedLibrary, ROOT)        \
  PRIVILEGE(ContentLibrary, ProbeSubscription, ROOT)              \
  PRIVILEGE(ContentLibrary, AddCertToTrustStore, ROOT)            \
  PRIVILEGE(ContentLibrary, DeleteCertFromTrustStore, ROOT)       \
  PRIVILEGE(ContentLibrary, UpdateLibrary, LIBRARY)               \
  PRIVILEGE(ContentLibrary, UpdateLocalLibrary, LIBRARY)          \
  PRIVILEGE(ContentLibrary, UpdateSubscribedLibrary, LIBRARY)     \
  PRIVILEGE(ContentLibrary, DeleteLibrary, LIBRARY)               \
  PRIVILEGE(ContentLibrary, DeleteLocalLibrary, LIBRARY)          \
  PRIVILEGE(ContentLibrary, DeleteSubscribedLibrary, LIBRARY)     \
  PRIVILEGE(ContentLibrary, MigrateLibrary, LIBRARY)              \
  PRIVILEGE(ContentLibrary, ConvertLibrary, LIBRARY)              \
  PRIVILEGE(ContentLibrary, LibraryMaintenance, LIBRARY)          \
  PRIVILEGE(ContentLibrary, AddLibraryUsage, LIBRARY)             \
  PRIVILEGE(ContentLibrary, RemoveLibraryUsage, LIBRARY)          \
  PRIVILEGE(ContentLibrary, PublishLibrary, LIBRARY)              \
  PRIVILEGE(ContentLibrary, SyncLibrary, LIBRARY)                 \
  PRIVILEGE(ContentLibrary, EvictSubscribedLibrary, LIBRARY)      \
  PRIVILEGE(ContentLibrary, AddSubscription, LIBRARY)             \
  PRIVILEGE(ContentLibrary, UpdateSubscription, LIBRARY)          \
  PRIVILEGE(ContentLibrary, DeleteSubscription, LIBRARY)          \
  PRIVILEGE(ContentLibrary, AddLibraryItem, LIBRARY)              \
  PRIVILEGE(ContentLibrary, UpdateLibraryItem, ITEM)              \
  PRIVILEGE(ContentLibrary, DeleteLibraryItem, ITEM)              \
  PRIVILEGE(ContentLibrary, PublishLibraryItem, ITEM)             \
  PRIVILEGE(ContentLibrary, SyncLibraryItem, ITEM)                \
  PRIVILEGE(ContentLibrary, EvictLibraryItem, ITEM)               \
  PRIVILEGE(ContentLibrary, UpdateSession, ITEM)                  \
  PRIVILEGE(ContentLibrary, DownloadSession, ITEM)                \
  PRIVILEGE(ContentLibrary, ReadStorage, ITEM)                    \
  PRIVILEGE(Datastore, AllocateSpace, ROOT)                       \
  PRIVILEGE(Datastore, Browse, ROOT)                              \
  PRIVILEGE(Datastore, FileManagement, ROOT)                      \
  PRIVILEGE(InventoryService_Tagging, CreateCategory, ROOT)       \
  PRIVILEGE(InventoryService_Tagging, EditCategory, ROOT)         \
  PRIVILEGE(InventoryService_Tagging, DeleteCategory, ROOT)       \
  PRIVILEGE(InventoryService_Tagging, CreateTag, ROOT)            \
  PRIVILEGE(InventoryService_Tagging, EditTag, ROOT)              \
  PRIVILEGE(InventoryService_Tagging, DeleteTag, ROOT)            \
  PRIVILEGE(InventoryService_Tagging, AttachTag, ROOT)            \
  PRIVILEGE(Global, Diagnostics, ROOT)                            \
  PRIVILEGE(Authorization, ModifyPermissions, LIBRARY)            \
  PRIVILEGE(Authorization, ModifyRoles, ROOT)
// clang-format on

// The names of the groups; macros, because they become parts of literals.
#define QUIRE_GROUP_System "System"
#define QUIRE_GROUP_ContentLibrary "ContentLibrary"
#define QUIRE_GROUP_Datastore "Datastore"
#define QUIRE_GROUP_InventoryService_Tagging "InventoryService.Tagging"
#define QUIRE_GROUP_Global "Global"
#define QUIRE_GROUP_Authorization "Authorization"

/// Named with dots: `Privilege::System_Read` is `System.Read`.
enum class Privilege {
#define QUIRE_PRIVILEGE(group, name, target) group##_##name,
  QUIRE_PRIVILEGES(QUIRE_PRIVILEGE)
#undef QUIRE_PRIVILEGE
};

}  // namespace quire::content

template <>
inline constexpr auto quire::base::enumerators<quire::content::Privilege> =
    std::to_array<quire::base::EnumeratorName<quire::content::Privilege>>({
#define QUIRE_PRIVILEGE(group, name, target) {quire::content::Privilege::group##_##name, QUIRE_GROUP_##group "." #name},
        QUIRE_PRIVILEGES(QUIRE_PRIVILEGE)
#undef QUIRE_PRIVILEGE
    });

namespace quire::content {

inline constexpr std::size_t privilege_count = base::enumerators<Privilege>.size();

inline constexpr auto privilege_targets = std::to_array<PrivilegeTarget>({
#define QUIRE_PRIVILEGE(group, name, target) PrivilegeTarget::target,
    QUIRE_PRIVILEGES(QUIRE_PRIVILEGE)
#undef QUIRE_PRIVILEGE
});

/// What it is needed on.
constexpr PrivilegeTarget target_of(Privilege privilege) {
  return privilege_targets[static_cast<std::size_t>(privilege)];
}

/// A set of privileges. A value.
class PrivilegeSet {
 public:
  PrivilegeSet() = default;
  PrivilegeSet(std::initializer_list<Privilege> privileges) {
    for (const auto privilege : privileges) add(privilege);
  }
  static PrivilegeSet all() {
    PrivilegeSet set;
    set.bits_.set();
    return set;
  }

  void add(Privilege privilege) { bits_.set(static_cast<std::size_t>(privilege)); }
  void remove(Privilege privilege) { bits_.reset(static_cast<std::size_t>(privilege)); }
  bool has(Privilege privilege) const { return bits_.test(static_cast<std::size_t>(privilege)); }
  /// Every privilege of `other` is here.
  bool covers(const PrivilegeSet& other) const { return (other.bits_ & ~bits_).none(); }
  PrivilegeSet& operator|=(const PrivilegeSet& other) {
    bits_ |= other.bits_;
    return *this;
  }
  PrivilegeSet& operator&=(const PrivilegeSet& other) {
    bits_ &= other.bits_;
    return *this;
  }
  bool operator==(const PrivilegeSet&) const = default;

  /// In the order of the list above.
  std::vector<Privilege> list() const {
    std::vector<Privilege> privileges;
    for (const auto& [privilege, name] : base::enumerators<Privilege>)
      if (has(privilege)) privileges.push_back(privilege);
    return privileges;
  }

 private:
  std::bitset<privilege_count> bits_;
};

}  // namespace quire::content

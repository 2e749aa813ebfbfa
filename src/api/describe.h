#pragma once

#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <boost/pfr/tuple_size.hpp>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "api/operation.h"
#include "api/type.h"
#include "base/enumeration.h"
#include "base/time.h"

/// Makes runtime descriptions (type.h) of C++ types by Boost.Describe; enumerations are those of base/enumeration.h.
/// Include it only where structures are described and in the files that bind operations: it is the only expensive
/// header of this layer.
///
/// A described structure names itself: `static constexpr std::string_view canonical_name = "com.vmware.…";`, and one
/// that stands where another could has a `static constexpr bool is_dynamic`. An
/// enumeration is named by a specialisation of `enumeration_name`.
namespace quire::api {

template <class E>
inline constexpr std::string_view enumeration_name = "";

template <class T>
const Type& type_of();

namespace detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class T>
inline constexpr bool is_map<std::map<std::string, T>> = true;

template <class T>
Type describe_structure() {
  static_assert(boost::mp11::mp_size<boost::describe::describe_members<T, boost::describe::mod_public>>::value ==
                    boost::pfr::tuple_size_v<T>,
                "a member of the structure is missing in its description");
  Type type;
  type.kind = TypeKind::structure;
  type.name = T::canonical_name;
  type.dynamic = requires { T::is_dynamic; };
  boost::mp11::mp_for_each<boost::describe::describe_members<T, boost::describe::mod_public>>([&](auto member) {
    using Member = decltype(member);
    using Value = std::remove_reference_t<decltype(std::declval<T&>().*Member::pointer)>;
    type.fields.push_back({Member::name, &type_of<Value>(),
                           [](const void* s) -> const void* { return &(static_cast<const T*>(s)->*Member::pointer); },
                           [](void* s) -> void* { return &(static_cast<T*>(s)->*Member::pointer); }});
  });
  return type;
}

template <class E>
Type describe_enumeration() {
  static_assert(!enumeration_name<E>.empty(), "specialise enumeration_name");
  Type type;
  type.kind = TypeKind::enumeration;
  type.name = enumeration_name<E>;
  for (const auto& [enumerator, name] : base::enumerators<E>) type.enumerators.emplace_back(name);
  type.enumerator = [](const void* value) { return base::name_of(*static_cast<const E*>(value)); };
  type.set_enumerator = [](void* value, std::string_view name) {
    const auto found = base::enumerator_named<E>(name);
    if (found) *static_cast<E*>(value) = *found;
    return found.has_value();
  };
  return type;
}

template <class O>
Type describe_optional() {
  using Value = typename O::value_type;
  Type type;
  type.kind = TypeKind::optional;
  type.element = &type_of<Value>();
  type.value = [](const void* o) -> const void* {
    const auto& optional = *static_cast<const O*>(o);
    return optional ? &*optional : nullptr;
  };
  type.emplace = [](void* o) -> void* { return &static_cast<O*>(o)->emplace(); };
  return type;
}

template <class L>
Type describe_list() {
  Type type;
  type.kind = TypeKind::list;
  type.element = &type_of<typename L::value_type>();
  type.size = [](const void* list) { return static_cast<const L*>(list)->size(); };
  type.at = [](const void* list, std::size_t index) -> const void* { return &(*static_cast<const L*>(list))[index]; };
  type.append = [](void* list) -> void* { return &static_cast<L*>(list)->emplace_back(); };
  return type;
}

template <class M>
Type describe_map() {
  Type type;
  type.kind = TypeKind::map;
  type.element = &type_of<typename M::mapped_type>();
  type.size = [](const void* map) { return static_cast<const M*>(map)->size(); };
  type.at = [](const void* map, std::size_t index) -> const void* {
    return &std::next(static_cast<const M*>(map)->begin(), static_cast<std::ptrdiff_t>(index))->second;
  };
  type.key_at = [](const void* map, std::size_t index) -> std::string_view {
    return std::next(static_cast<const M*>(map)->begin(), static_cast<std::ptrdiff_t>(index))->first;
  };
  type.insert = [](void* map, std::string_view key) -> void* {
    const auto [at, inserted] = static_cast<M*>(map)->try_emplace(std::string(key));
    return inserted ? &at->second : nullptr;
  };
  return type;
}

inline Type simple(TypeKind kind) {
  Type type;
  type.kind = kind;
  return type;
}

template <class T>
Type describe() {
  if constexpr (std::is_same_v<T, bool>)
    return simple(TypeKind::boolean);
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return simple(TypeKind::integer);
  else if constexpr (std::is_same_v<T, std::string>)
    return simple(TypeKind::string);
  else if constexpr (std::is_same_v<T, base::Time>)
    return simple(TypeKind::datetime);
  else if constexpr (std::is_same_v<T, Secret>)
    return simple(TypeKind::secret);
  else if constexpr (std::is_same_v<T, ErrorValue>)
    return simple(TypeKind::error);
  else if constexpr (is_optional<T>)
    return describe_optional<T>();
  else if constexpr (is_list<T>)
    return describe_list<T>();
  else if constexpr (is_map<T>)
    return describe_map<T>();
  else if constexpr (std::is_enum_v<T>)
    return describe_enumeration<T>();
  else
    return describe_structure<T>();
}

}  // namespace detail

/// The one description of T. Thread-safe; made on first use.
template <class T>
const Type& type_of() {
  static const Type type = detail::describe<T>();
  return type;
}

/// Makes the registry's entry of an operation from its definition: a struct with `Input` (a described structure, with
/// `static constexpr std::array objects` of NamedObject when it names any),
/// `Output` (void or a describable type), `static OperationFacts facts()` unless they are given, and
/// `static base::Result<Output> run(service::Services&, const CallContext&, const Input&)`.
template <class Op>
Operation bind(OperationFacts facts = Op::facts()) {
  using Input = typename Op::Input;
  using Output = typename Op::Output;
  Operation operation{.facts = std::move(facts)};
  operation.full_name = operation.facts.service + "." + operation.facts.name;
  if constexpr (requires { Input::objects; }) operation.objects.assign(Input::objects.begin(), Input::objects.end());
  operation.input = &type_of<Input>();
  operation.make_input = [] { return std::make_shared<Input>(); };
  if constexpr (std::is_void_v<Output>) {
    operation.run = [](service::Services& services, const CallContext& call, const void* input,
                       void*) -> base::Result<void> {
      return Op::run(services, call, *static_cast<const Input*>(input));
    };
  } else {
    operation.output = &type_of<Output>();
    operation.make_output = [] { return std::make_shared<Output>(); };
    operation.run = [](service::Services& services, const CallContext& call, const void* input,
                       void* output) -> base::Result<void> {
      QUIRE_ASSIGN_OR_RETURN(auto result, Op::run(services, call, *static_cast<const Input*>(input)));
      *static_cast<Output*>(output) = std::move(result);
      return {};
    };
  }
  return operation;
}

}  // namespace quire::api

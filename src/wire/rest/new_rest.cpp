#include "wire/rest/new_rest.h"

#include <algorithm>
#include <optional>
#include <set>

#include "wire/codec/scalar_codec.h"
#include "wire/request/authentication.h"
#include "wire/rest/legacy_mapping.h"
#include "wire/rest/rest_exchange.h"

namespace quire::wire {
namespace {

constexpr std::string_view action_name = "action";
constexpr std::string_view client_token_name = "client_token";
constexpr std::size_t prefix_segments = 1;  // `api` or `rest`

bool same_template(const std::vector<PathSegment>& a, const std::vector<PathSegment>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const PathSegment& x, const PathSegment& y) {
    return x.is_input == y.is_input && (x.is_input || x.text == y.text);
  });
}

bool literal_first(const std::vector<PathSegment>& a, const std::vector<PathSegment>& b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.is_input != y.is_input ? y.is_input : x.text < y.text;
  });
}

bool fits(const std::vector<PathSegment>& path, const std::vector<std::string>& segments) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto& given = segments[i + prefix_segments];
    if (path[i].is_input ? given.empty() : given != path[i].text) return false;
  }
  return true;
}

bool has_parameter(const RequestTarget& target, std::string_view name) {
  return std::any_of(target.query.begin(), target.query.end(), [&](const auto& given) { return given.name == name; });
}

/// How many of its mandatory query members are given; nullopt when one is missing. A pair of operations that differ by
/// them alone (`…/file` and `…/file?name=`) is told apart so.
std::optional<std::size_t> given_in_query(const api::Operation& operation, const NewRestMapping& mapping,
                                          const RequestTarget& target) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < mapping.places.size(); ++i) {
    if (!mapping.needs_in_query(operation, i)) continue;
    if (!has_parameter(target, operation.input->fields[i].name)) return std::nullopt;
    ++count;
  }
  return count;
}

/// `?library_id?library_id=X` means `library_id=X` (content-library-api.md §28.4).
void forgive_doubled_name(const api::Operation& operation, const NewRestMapping& mapping, RequestTarget& target) {
  for (std::size_t i = 0; i < mapping.places.size(); ++i) {
    if (mapping.places[i] != InputPlace::query) continue;
    const auto& name = operation.input->fields[i].name;
    for (auto& parameter : target.query)
      if (parameter.name == name + "?" + name) parameter.name = name;
  }
}

base::Error unsupported_property(const std::string& name) {
  return base::Error(base::ErrorKind::invalid_argument, "quire.wire.unsupported_property",
                     "Unsupported property with name: {name}", {{"name", name}});
}

/// Reads the operation's input out of the parts of one request.
class InputReader {
 public:
  InputReader(RestForm form, const api::Operation& operation, const NewRestMapping& mapping, const Request& request,
              const RequestTarget& target, const RestBody& body)
      : form_(form),
        operation_(operation),
        mapping_(mapping),
        request_(request),
        target_(target),
        body_(body),
        used_(target.query.size()) {}

  base::Result<void> read(void* input) {
    for (std::size_t i = 0; i < mapping_.places.size(); ++i)
      if (auto done = read_field(operation_.input->fields[i], mapping_.places[i], input); !done) return done;
    for (std::size_t i = 0; i < used_.size(); ++i)
      if (!used_[i] && target_.query[i].name != action_name) return unsupported_property(target_.query[i].name);
    return {};
  }

 private:
  base::Result<void> read_field(const api::Field& field, InputPlace place, void* input) {
    void* member = field.get_mutable(input);
    switch (place) {
      case InputPlace::path:
        return decode_scalar(segment(field.name), *field.type, member, InputPath{nullptr, field.name});
      case InputPlace::query:
        return read_query(field, member);
      case InputPlace::client_token:
        return read_client_token(field, member);
      case InputPlace::whole_body:
        return read_whole_body(field, member);
      case InputPlace::body_member:
        break;
    }
    return decode_body_member(form_, operation_, body_, field, input);
  }

  const std::string& segment(const std::string& name) const {
    std::size_t i = 0;
    while (!mapping_.path[i].is_input || mapping_.path[i].text != name) ++i;
    return target_.segments[i + prefix_segments];
  }

  /// A structure comes as `spec.member=`, or as its members alone.
  base::Result<void> read_query(const api::Field& field, void* member) {
    const bool optional = field.type->kind == api::TypeKind::optional;
    const auto& type = optional ? *field.type->element : *field.type;
    const auto is_given = [&](const api::Field& inner) { return has_parameter(target_, inner.name); };
    if (type.kind != api::TypeKind::structure || std::none_of(type.fields.begin(), type.fields.end(), is_given))
      return decode_query(target_.query, field.name, *field.type, member, used_);
    void* structure = optional ? field.type->emplace(member) : member;
    for (const auto& inner : type.fields)
      QUIRE_RETURN_IF_ERROR(decode_query(target_.query, inner.name, *inner.type, inner.get_mutable(structure), used_));
    return {};
  }

  base::Result<void> read_client_token(const api::Field& field, void* member) {
    const auto header = request_.headers.find("Client-Token");
    if (!header || has_parameter(target_, client_token_name))
      return decode_query(target_.query, field.name, *field.type, member, used_);
    const std::vector<QueryParameter> as_query{{field.name, std::string(*header)}};
    std::vector<bool> used(1);
    return decode_query(as_query, field.name, *field.type, member, used);
  }

  base::Result<void> read_whole_body(const api::Field& field, void* member) {
    if (body_.object) return decode_rest(*body_.object, *field.type, member, form_, InputPath{});
    if (field.type->kind != api::TypeKind::optional && !operation_.facts.optional_body) return required(InputPath{});
    return {};
  }

  RestForm form_;
  const api::Operation& operation_;
  const NewRestMapping& mapping_;
  const Request& request_;
  const RequestTarget& target_;
  const RestBody& body_;
  std::vector<bool> used_;
};

}  // namespace

NewRest::NewRest(const std::vector<api::Operation>& operations, Invoker& invoker, RestForm form)
    : invoker_(invoker), form_(form) {
  const bool legacy = form == RestForm::legacy;
  for (const auto& operation : operations) {
    if (legacy ? !operation.facts.legacy_at_path : !operation.facts.in_new_rest) continue;
    const bool as_get = legacy && operation.facts.name == "list";
    const auto method = as_get ? "GET" : operation.facts.method;
    auto mapping = new_rest_mapping(operation, method);
    for (auto& where : mapping.places)
      if (legacy && (where == InputPlace::whole_body || where == InputPlace::client_token))
        where = InputPlace::body_member;
    auto& places = places_[mapping.path.size()];
    auto place = std::find_if(places.begin(), places.end(),
                              [&](const Place& known) { return same_template(known.path, mapping.path); });
    if (place == places.end()) place = places.insert(places.end(), Place{mapping.path, {}});
    place->candidates.push_back({&operation, method, as_get ? "" : operation.facts.action, std::move(mapping)});
  }
  for (auto& [size, places] : places_)
    std::sort(places.begin(), places.end(),
              [](const Place& a, const Place& b) { return literal_first(a.path, b.path); });
}

bool NewRest::answers_to(const Candidate& candidate, const std::optional<std::string>& action) {
  if (!action) return candidate.action.empty();
  return candidate.action.empty() ? dashed(candidate.operation->facts.name) == *action : candidate.action == *action;
}

const NewRest::Place* NewRest::find(const std::vector<std::string>& segments) const {
  if (segments.size() <= prefix_segments) return nullptr;
  const auto group = places_.find(segments.size() - prefix_segments);
  if (group == places_.end()) return nullptr;
  const auto place = std::find_if(group->second.begin(), group->second.end(),
                                  [&](const Place& known) { return fits(known.path, segments); });
  return place == group->second.end() ? nullptr : &*place;
}

Response NewRest::run(const Candidate& candidate, const Request& request, const RequestTarget& target) const {
  const auto& operation = *candidate.operation;
  const auto challenge = challenge_for(operation);
  const auto call =
      admit(invoker_, operation, identification_of(request.headers), call_context(request, operation.full_name));
  if (!call) return rest_failure(form_, call.error(), challenge);
  RestBody body;
  if (request.method != "GET" && request.method != "DELETE") body = read_body(form_, request);
  if (body.refusal) return *std::move(body.refusal);
  const auto input = operation.make_input();
  const auto read = InputReader(form_, operation, candidate.mapping, request, target, body).read(input.get());
  if (!read) return rest_failure(form_, read.error());
  const auto output = invoke(invoker_, operation, *call, input.get());
  if (!output) return rest_failure(form_, output.error(), challenge);
  return rest_success(form_, operation, output->get());
}

Response NewRest::handle(const Request& request) const {
  auto target = parse_target(request.target);
  if (!target) return rest_failure(form_, target.error());
  const auto* place = find(target->segments);
  if (!place) return rest_failure(form_, operation_not_found(path_of(request.target)));

  const auto action = action_of(*target, action_name);
  const auto is_served = [&](const Candidate& candidate) {
    return action || !candidate.operation->facts.by_action_only;
  };
  bool allowed = false;
  for (const auto& candidate : place->candidates) {
    allowed = allowed || (candidate.method == request.method && is_served(candidate));
    forgive_doubled_name(*candidate.operation, candidate.mapping, *target);
  }
  if (!allowed) {
    std::set<std::string> methods;
    for (const auto& candidate : place->candidates)
      if (is_served(candidate)) methods.insert(candidate.method);
    std::string list;
    for (const auto& method : methods) list += (list.empty() ? "" : ", ") + method;
    return method_not_allowed(form_, request.method, std::move(list));
  }

  const Candidate* chosen = nullptr;
  std::optional<std::size_t> chosen_given;
  for (const auto& candidate : place->candidates) {
    if (candidate.method != request.method || !answers_to(candidate, action)) continue;
    const auto given = given_in_query(*candidate.operation, candidate.mapping, *target);
    if (chosen && given <= chosen_given) continue;  // nullopt is below every count
    chosen = &candidate;
    chosen_given = given;
  }
  if (!chosen) return rest_failure(form_, operation_not_found(request.method + " " + request.target));
  return run(*chosen, request, *target);
}

}  // namespace quire::wire

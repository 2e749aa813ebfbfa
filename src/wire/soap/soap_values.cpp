#include "wire/soap/soap_values.h"

#include <utility>
#include <variant>

namespace quire::wire {
namespace {

using vim::Answer;
using vim::DataObject;
using vim::Field;
using vim::Reference;
using vim::Value;

/// TraversalSpec and SelectionSpec are told apart by what they hold, not by `xsi:type`: only the former has a path.
std::vector<vim::SelectionSpec> read_selections(const XmlElement& element) {
  std::vector<vim::SelectionSpec> selections;
  for (const auto& each : element.children) {
    if (each.name != "selectSet") continue;
    selections.push_back({.name = child_text(each, "name"),
                          .type = child_text(each, "type"),
                          .path = child_text(each, "path"),
                          .skip = is_true(each.child("skip")),
                          .next = read_selections(each)});
  }
  return selections;
}

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

std::string type_attribute(const Value& value) {
  return std::visit(
      Overloaded{[](const std::string&) -> std::string { return "xsd:string"; },
                 [](bool) -> std::string { return "xsd:boolean"; },
                 [](std::int64_t) -> std::string { return "xsd:long"; },
                 [](base::Time) -> std::string { return "xsd:dateTime"; },
                 [](const Reference&) -> std::string { return "ManagedObjectReference"; },
                 [](const std::vector<Reference>&) -> std::string { return "ArrayOfManagedObjectReference"; },
                 [](const std::vector<std::string>&) -> std::string { return "ArrayOfString"; },
                 [](const DataObject& data) -> std::string { return data.type; },
                 [](const vim::DataObjects& data) -> std::string { return "ArrayOf" + data.type; }},
      value);
}

}  // namespace

bool is_true(const XmlElement* element) {
  return element != nullptr && (element->trimmed_text() == "true" || element->trimmed_text() == "1");
}

std::string child_text(const XmlElement& element, std::string_view name) {
  const XmlElement* child = element.child(name);
  return child == nullptr ? std::string() : std::string(child->trimmed_text());
}

std::vector<std::string> child_texts(const XmlElement& element, std::string_view name) {
  std::vector<std::string> texts;
  for (const auto& each : element.children) {
    if (each.name == name) texts.emplace_back(each.trimmed_text());
  }
  return texts;
}

std::optional<Reference> child_reference(const XmlElement& element, std::string_view name) {
  const XmlElement* child = element.child(name);
  if (child == nullptr) return std::nullopt;
  return Reference{std::string(child->attribute("type")), std::string(child->trimmed_text())};
}

Answer<std::vector<vim::FilterSpec>> read_filter_specs(const XmlElement& arguments, std::string_view name) {
  std::vector<vim::FilterSpec> specs;
  for (const auto& spec : arguments.children) {
    if (spec.name != name) continue;
    auto& filter = specs.emplace_back();
    for (const auto& each : spec.children) {
      if (each.name == "propSet") {
        filter.properties.push_back(
            {child_text(each, "type"), is_true(each.child("all")), child_texts(each, "pathSet")});
      } else if (each.name == "objectSet") {
        auto object = child_reference(each, "obj");
        if (!object) {
          return tl::unexpected(vim::invalid_argument("specSet.objectSet.obj", "An object spec names no object."));
        }
        filter.objects.push_back({std::move(*object), is_true(each.child("skip")), read_selections(each)});
      }
    }
  }
  return specs;
}

void write_reference(XmlWriter& out, std::string_view name, const Reference& reference) {
  out.open(name);
  out.attribute("type", reference.type);
  out.text(reference.id);
  out.close();
}

void write_field(XmlWriter& out, const std::string& name, const Value& value) {
  std::visit(Overloaded{[&](const std::string& text) { out.leaf(name, text); },
                        [&](bool flag) { out.leaf(name, flag ? "true" : "false"); },
                        [&](std::int64_t number) { out.leaf(name, std::to_string(number)); },
                        [&](base::Time time) { out.leaf(name, base::to_text(time)); },
                        [&](const Reference& reference) { write_reference(out, name, reference); },
                        [&](const std::vector<Reference>& references) {
                          for (const auto& each : references) write_reference(out, name, each);
                        },
                        [&](const std::vector<std::string>& texts) {
                          for (const auto& each : texts) out.leaf(name, each);
                        },
                        [&](const DataObject& data) {
                          out.open(name);
                          if (data.says_type) out.attribute("xsi:type", data.type);
                          write_fields(out, data.fields);
                          out.close();
                        },
                        [&](const vim::DataObjects& data) {
                          for (const auto& each : data.items) write_field(out, name, each);
                        }},
             value);
}

void write_fields(XmlWriter& out, const std::vector<Field>& fields) {
  for (const auto& each : fields) write_field(out, each.name, each.value);
}

void write_typed(XmlWriter& out, std::string_view name, const Value& value) {
  out.open(name);
  if (const auto* reference = std::get_if<Reference>(&value)) out.attribute("type", reference->type);
  out.attribute("xsi:type", type_attribute(value));
  std::visit(Overloaded{[&](const std::string& text) { out.text(text); },
                        [&](bool flag) { out.text(flag ? "true" : "false"); },
                        [&](std::int64_t number) { out.text(std::to_string(number)); },
                        [&](base::Time time) { out.text(base::to_text(time)); },
                        [&](const Reference& reference) { out.text(reference.id); },
                        [&](const std::vector<Reference>& references) {
                          for (const auto& each : references) write_reference(out, "ManagedObjectReference", each);
                        },
                        [&](const std::vector<std::string>& texts) {
                          for (const auto& each : texts) out.leaf("string", each);
                        },
                        [&](const DataObject& data) { write_fields(out, data.fields); },
                        [&](const vim::DataObjects& data) {
                          for (const auto& each : data.items) write_field(out, data.type, each);
                        }},
             value);
  out.close();
}

void write_object_content(XmlWriter& out, std::string_view name, const vim::ObjectContent& content) {
  out.open(name);
  write_reference(out, "obj", content.object);
  for (const auto& each : content.properties) {
    out.open("propSet");
    out.leaf("name", each.name);
    write_typed(out, "val", each.value);
    out.close();
  }
  out.close();
}

}  // namespace quire::wire

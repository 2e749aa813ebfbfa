#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/soap/soap_xml.h"
#include "wire/soap/vim_inventory.h"
#include "wire/soap/vim_inventory_collector.h"

/// vim25 values as XML, both ways (wire-protocols.md §4.4).
namespace quire::wire {

/// True for the text `true` or `1`; false when the element is absent.
bool is_true(const XmlElement* element);
/// The trimmed text of the first child of that name; empty when there is none.
std::string child_text(const XmlElement& element, std::string_view name);
std::vector<std::string> child_texts(const XmlElement& element, std::string_view name);
std::optional<vim::Reference> child_reference(const XmlElement& element, std::string_view name);
/// Every PropertyFilterSpec of that name: the `specSet` of RetrieveProperties. InvalidArgument for an object spec
/// without an object.
vim::Answer<std::vector<vim::FilterSpec>> read_filter_specs(const XmlElement& arguments,
                                                            std::string_view name = "specSet");

void write_reference(XmlWriter& out, std::string_view name, const vim::Reference& reference);
/// A value whose type the schema fixes, as the fields of data objects are: a list is the element repeated.
void write_field(XmlWriter& out, const std::string& name, const vim::Value& value);
void write_fields(XmlWriter& out, const std::vector<vim::Field>& fields);
/// A value whose type the schema leaves open, so it says it itself. The prefixes `xsd` and `xsi` must be declared.
void write_typed(XmlWriter& out, std::string_view name, const vim::Value& value);
void write_object_content(XmlWriter& out, std::string_view name, const vim::ObjectContent& content);

}  // namespace quire::wire

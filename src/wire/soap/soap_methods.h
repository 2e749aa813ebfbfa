#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/services.h"
#include "wire/soap/soap_views.h"
#include "wire/soap/soap_xml.h"
#include "wire/soap/vim_inventory.h"

/// The methods of the SOAP façade (wire-protocols.md §4.2, tier 1).
namespace quire::wire {

inline constexpr std::string_view vim_space = "urn:vim25";
inline constexpr std::string_view pbm_space = "urn:pbm";

struct SoapSession {
  std::string token;
  content::Caller caller;
};

/// A call that may go ahead: the receiver's class has the method and the session, where one is needed, is alive.
struct SoapCall {
  service::Services& services;
  SoapViews& views;
  std::string_view method;
  const XmlElement& arguments;
  vim::Reference receiver;
  std::optional<SoapSession> session;
  content::CallOrigin origin;
};

/// What a method puts into its response element, and the token that a new login gets as cookie.
struct SoapReply {
  XmlWriter& out;
  std::string new_token;
};

struct SoapMethod {
  std::string_view space;
  std::string_view name;
  /// The only receiver; an empty id stands for every object of that class, and an empty class for every object.
  vim::Reference receiver;
  bool needs_session;
  vim::Answer<void> (*run)(const SoapCall&, SoapReply&);
};

const std::vector<SoapMethod>& soap_methods();

/// Tells the audit trail when `error`, which answers the call, is a refusal. Whoever turns a service's error into a
/// fault calls it: faults do not tell any more.
void record_if_refused(const SoapCall& call, const base::Error& error);

vim::Fault not_authenticated(const vim::Reference& receiver);
/// For errors that no class of §4.4 tells. The client learns the text only, the log the cause.
vim::Fault system_error(std::string_view method, const base::Error& error);

}  // namespace quire::wire

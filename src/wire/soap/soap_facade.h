#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "service/services.h"
#include "wire/request/message.h"
#include "wire/soap/soap_views.h"

namespace quire::wire {

/// The small part of the vim25 SOAP API that clients need before they can work with libraries: log in, find a
/// datastore, and the storage policy service's greeting (wire-protocols.md §4, tier 1). Its logins are those of all
/// wires. Blocking; all threads may call it.
class SoapFacade {
 public:
  explicit SoapFacade(service::Services& services);

  /// True for `/sdk`, `/sdk/`, `/sdk/vimServiceVersions.xml`, `/pbm` and `/pbm/sdk`; `path` is without the query.
  static bool owns(std::string_view path);

  /// Answers a request whose path it owns. A failed method is a SOAP fault under 500; what is no SOAP request at all is
  /// one with the faultcode `soapenv:Client`; a wrong HTTP method is 405.
  Response handle(const Request& request) const;

 private:
  Response call(const Request& request, std::string_view method_space) const;

  service::Services& services_;
  std::unique_ptr<SoapViews> views_;
  std::vector<service::OperationMeasurements*> measurements_;  ///< of soap_methods(), in their order
};

}  // namespace quire::wire

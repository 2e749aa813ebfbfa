#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/operation.h"
#include "wire/request/invocation.h"
#include "wire/request/message.h"
#include "wire/request/request_target.h"
#include "wire/rest/new_rest_mapping.h"

namespace quire::wire {

/// New REST, everything below `/api/` (content-library-api.md §1.3). Besides its canonical request, an operation
/// without
/// `?action=` takes its own name as one (`…/file?action=add`); underscores in actions count as dashes. Immutable; all
/// threads may call it.
class NewRest {
 public:
  /// Both must outlive it.
  NewRest(const std::vector<api::Operation>& operations, Invoker& invoker);

  Response handle(const Request& request) const;

 private:
  struct Candidate {
    const api::Operation* operation;
    NewRestMapping mapping;
  };
  /// All operations of one path template.
  struct Place {
    std::vector<PathSegment> path;
    std::vector<Candidate> candidates;
  };

  const Place* find(const std::vector<std::string>& segments) const;
  Response run(const Candidate& candidate, const Request& request, const RequestTarget& target) const;

  /// By number of segments; of two templates that fit, the one with the earlier literal comes first.
  std::map<std::size_t, std::vector<Place>> places_;
  Invoker& invoker_;
};

}  // namespace quire::wire

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/operation.h"
#include "wire/codec/rest_codec.h"
#include "wire/request/invocation.h"
#include "wire/request/message.h"
#include "wire/request/request_target.h"
#include "wire/rest/new_rest_mapping.h"

namespace quire::wire {

/// New REST, everything below `/api/` (content-library-api.md §1.3). Besides its canonical request, an operation
/// without `?action=` takes its own name as one (`…/file?action=add`); underscores in actions count as dashes.
/// As RestForm::legacy it serves the operations that are `legacy_at_path`: the same paths below `/rest/`, with the
/// bodies and answers of legacy REST (§1.2), and every list as a GET (§22). Immutable; all threads may call it.
class NewRest {
 public:
  /// Both must outlive it.
  NewRest(const std::vector<api::Operation>& operations, Invoker& invoker, RestForm form = RestForm::current);

  Response handle(const Request& request) const;

 private:
  struct Candidate {
    const api::Operation* operation;
    std::string method;
    std::string action;
    NewRestMapping mapping;
  };
  /// All operations of one path template.
  struct Place {
    std::vector<PathSegment> path;
    std::vector<Candidate> candidates;
  };

  static bool answers_to(const Candidate& candidate, const std::optional<std::string>& action);
  const Place* find(const std::vector<std::string>& segments) const;
  Response run(const Candidate& candidate, const Request& request, const RequestTarget& target) const;

  /// By number of segments; of two templates that fit, the one with the earlier literal comes first.
  std::map<std::size_t, std::vector<Place>> places_;
  Invoker& invoker_;
  RestForm form_;
};

}  // namespace quire::wire

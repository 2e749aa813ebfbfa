#pragma once

#include <string>

#include "adapters/s3/service_connections.h"

namespace quire::adapters::s3 {

/// What an answer means for the request.
enum class AnswerClass {
  done,
  transient,   ///< another try may go well
  expired,     ///< another try may go well with credentials that are read again
  refused,     ///< another try would not go better
  missing,     ///< there is no such object; never said of a bucket, nor when the service does not say it clearly
  present,     ///< the key is taken
  beyond_end,  ///< the object has no bytes there
  full,        ///< the service has no room
};

/// How one try went.
struct Judgement {
  AnswerClass answer_class = AnswerClass::done;
  std::string what;    ///< what happened, as the end of a sentence: `403 AccessDenied`; empty when done
  std::string advice;  ///< of a refusal: what to do about it, a sentence
  std::string detail;  ///< the service's own text as it came, for the log
};

/// By status and error code, in one table. An answer 2xx is done unless its text is an `<Error>` (which then is
/// transient, as it contradicts itself); whether it is what was asked for is up to the caller.
Judgement judge(const ServiceAnswer& answer);

/// By the same table, of an error that stands in an answer without a status of its own.
Judgement judge_code(const std::string& code);

}  // namespace quire::adapters::s3

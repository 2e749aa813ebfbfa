#include "adapters/s3/answer_classes.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "adapters/s3/s3_documents.h"

namespace quire::adapters::s3 {
namespace {

constexpr std::string_view check_key = "Check the access key and its secret.";
constexpr std::string_view check_rights = "Check the access key and what it may do in this bucket.";
constexpr std::string_view check_region = "Set the bucket's region and the endpoint of it.";
constexpr std::string_view check_settings = "Check the settings of the storage.";

struct ClassRow {
  int status;             ///< 0: any
  std::string_view code;  ///< empty: any
  AnswerClass answer_class;
  std::string_view advice = check_settings;
};

/// The first row that fits counts; what fits none is refused.
constexpr std::array class_rows = {
    ClassRow{404, "NoSuchKey", AnswerClass::missing},
    ClassRow{412, "", AnswerClass::present},
    ClassRow{416, "", AnswerClass::beyond_end},
    // AWS expires a token with 400, others with 403.
    ClassRow{0, "ExpiredToken", AnswerClass::expired, check_key},
    ClassRow{0, "TokenRefreshRequired", AnswerClass::expired, check_key},
    ClassRow{0, "InvalidToken", AnswerClass::expired, check_key},
    ClassRow{0, "InvalidAccessKeyId", AnswerClass::expired, check_key},
    ClassRow{0, "SignatureDoesNotMatch", AnswerClass::expired, check_key},
    ClassRow{0, "AccessDenied", AnswerClass::refused, check_rights},
    ClassRow{0, "RequestTimeTooSkewed", AnswerClass::refused, "Set the clock of this server."},
    ClassRow{0, "NoSuchBucket", AnswerClass::refused, "Create the bucket, or correct its name."},
    ClassRow{0, "PermanentRedirect", AnswerClass::refused, check_region},
    ClassRow{0, "TemporaryRedirect", AnswerClass::refused, check_region},
    ClassRow{0, "AuthorizationHeaderMalformed", AnswerClass::refused, check_region},
    ClassRow{0, "QuotaExceeded", AnswerClass::full},
    ClassRow{0, "XMinioStorageFull", AnswerClass::full},
    ClassRow{507, "", AnswerClass::full},
    ClassRow{0, "InternalError", AnswerClass::transient},
    ClassRow{0, "ServiceUnavailable", AnswerClass::transient},
    ClassRow{0, "SlowDown", AnswerClass::transient},
    ClassRow{0, "ConditionalRequestConflict", AnswerClass::transient},
    ClassRow{0, "OperationAborted", AnswerClass::transient},
    // What damage or delay on the way looks like.
    ClassRow{0, "RequestTimeout", AnswerClass::transient},
    ClassRow{0, "IncompleteBody", AnswerClass::transient},
    ClassRow{0, "BadDigest", AnswerClass::transient},
    ClassRow{0, "XAmzContentSHA256Mismatch", AnswerClass::transient},
    ClassRow{408, "", AnswerClass::transient},
    ClassRow{429, "", AnswerClass::transient},
    ClassRow{500, "", AnswerClass::transient},
    ClassRow{502, "", AnswerClass::transient},
    ClassRow{503, "", AnswerClass::transient},
    ClassRow{504, "", AnswerClass::transient},
    ClassRow{403, "", AnswerClass::refused, check_rights},
    ClassRow{301, "", AnswerClass::refused, check_region},
    ClassRow{307, "", AnswerClass::refused, check_region},
};

const ClassRow& row_of(int status, std::string_view code) {
  static constexpr ClassRow refused{0, "", AnswerClass::refused};
  const auto* row = std::find_if(class_rows.begin(), class_rows.end(), [&](const ClassRow& one) {
    return (one.status == 0 || one.status == status) && (one.code.empty() || one.code == code);
  });
  return row == class_rows.end() ? refused : *row;
}

/// As codes and regions are made; what else comes from outside is not shown. Shorter than a signature.
bool is_word(std::string_view text) {
  constexpr std::size_t longest_word = 48;
  return !text.empty() && text.size() <= longest_word && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

Judgement judge(const ServiceAnswer& answer) {
  if (answer.status == 0) {
    const auto answer_class = answer.is_refusal ? AnswerClass::refused : AnswerClass::transient;
    return {answer_class, answer.problem, "Check the endpoint and the root certificates of the storage.", ""};
  }
  const bool is_success = answer.status >= 200 && answer.status < 300;
  auto error = read_error(answer.text);
  if (is_success && !error) return {};
  if (!error) error.emplace();
  if (!is_word(error->code)) error->code.clear();
  const auto& row = row_of(answer.status, error->code);
  Judgement judgement{is_success ? AnswerClass::transient : row.answer_class,
                      std::to_string(answer.status) + (error->code.empty() ? "" : " " + error->code),
                      std::string(row.advice), error->message};
  const auto& region = is_word(answer.bucket_region) ? answer.bucket_region : error->region;
  if (row.advice == check_region && is_word(region))
    judgement.advice = "The bucket is in the region " + region + ": set this region and the endpoint of it.";
  return judgement;
}

Judgement judge_code(const std::string& code) {
  const auto& row = row_of(0, code);
  return {row.answer_class, is_word(code) ? code : "an error that has no code", std::string(row.advice), ""};
}

}  // namespace quire::adapters::s3

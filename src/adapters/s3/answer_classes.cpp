#include "adapters/s3/answer_classes.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "adapters/s3/s3_documents.h"

namespace quire::adapters::s3 {
namespace {

constexpr std::string_view check_key = "Check the access key and its secret.";
constexpr std::string_view check_region = "Set the bucket's region and the endpoint of it.";

struct ClassRow {
  int status;             ///< 0: any
  std::string_view code;  ///< empty: any
  AnswerClass answer_class;
  std::string_view advice = {};
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
    ClassRow{0, "SignatureDoesNotMatch", AnswerClass::refused, check_key},
    ClassRow{0, "RequestTimeTooSkewed", AnswerClass::refused, "Set the clock of this server."},
    ClassRow{0, "NoSuchBucket", AnswerClass::refused, "Create the bucket, or correct its name."},
    ClassRow{0, "PermanentRedirect", AnswerClass::refused, check_region},
    ClassRow{0, "TemporaryRedirect", AnswerClass::refused, check_region},
    ClassRow{0, "AuthorizationHeaderMalformed", AnswerClass::refused, check_region},
    ClassRow{0, "QuotaExceeded", AnswerClass::full},
    ClassRow{0, "XMinioStorageFull", AnswerClass::full},
    ClassRow{507, "", AnswerClass::full},
    // What damage or delay on the way looks like.
    ClassRow{400, "RequestTimeout", AnswerClass::transient},
    ClassRow{400, "IncompleteBody", AnswerClass::transient},
    ClassRow{400, "BadDigest", AnswerClass::transient},
    ClassRow{400, "XAmzContentSHA256Mismatch", AnswerClass::transient},
    ClassRow{409, "ConditionalRequestConflict", AnswerClass::transient},
    ClassRow{409, "OperationAborted", AnswerClass::transient},
    ClassRow{408, "", AnswerClass::transient},
    ClassRow{429, "", AnswerClass::transient},
    ClassRow{500, "", AnswerClass::transient},
    ClassRow{502, "", AnswerClass::transient},
    ClassRow{503, "", AnswerClass::transient},
    ClassRow{504, "", AnswerClass::transient},
    ClassRow{403, "", AnswerClass::refused, "Check the access key and what it may do in this bucket."},
    ClassRow{301, "", AnswerClass::refused, check_region},
    ClassRow{307, "", AnswerClass::refused, check_region},
};

/// Letters and digits alone, as codes and regions are made of; what comes from outside is not shown otherwise.
bool is_word(std::string_view text) {
  constexpr std::size_t longest_word = 64;
  return !text.empty() && text.size() <= longest_word && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

Judgement judge(const ServiceAnswer& answer) {
  if (answer.status == 0) {
    const auto answer_class = answer.is_refusal ? AnswerClass::refused : AnswerClass::transient;
    return {answer_class, answer.problem, "Check the address and the certificates of the storage.", ""};
  }
  const bool is_success = answer.status >= 200 && answer.status < 300;
  auto error = read_error(answer.text);
  if (is_success && !error) return {};
  if (!error) error.emplace();
  if (!is_word(error->code)) error->code.clear();
  const auto fits = [&](const ClassRow& row) {
    return (row.status == 0 || row.status == answer.status) && (row.code.empty() || row.code == error->code);
  };
  const auto* row = std::find_if(class_rows.begin(), class_rows.end(), fits);
  Judgement judgement;
  judgement.what = std::to_string(answer.status) + (error->code.empty() ? "" : " " + error->code);
  judgement.detail = error->message;
  judgement.answer_class = is_success ? AnswerClass::transient : AnswerClass::refused;
  judgement.advice = "Check the settings of the storage.";
  if (row != class_rows.end()) {
    judgement.answer_class = row->answer_class;
    if (!row->advice.empty()) judgement.advice = row->advice;
    const auto& region = is_word(answer.bucket_region) ? answer.bucket_region : error->region;
    if (row->advice == check_region && is_word(region))
      judgement.advice = "The bucket is in the region " + region + ": set this region and the endpoint of it.";
  }
  return judgement;
}

}  // namespace quire::adapters::s3

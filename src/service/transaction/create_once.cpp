#include "service/transaction/create_once.h"

#include "base/digest.h"

namespace quire::service {

using base::Error;
using base::ErrorKind;
using base::Result;

Result<Created> create_once(Context& context, const content::Caller& caller, const Creation& creation,
                            const std::function<Result<std::string>(Transaction&)>& create) {
  const auto& token = creation.client_token;
  return write(context, caller, [&](Transaction& t) -> Result<Created> {
    const bool is_malformed = token && !base::looks_like_uuid(*token);
    const auto before = token && !is_malformed
                            ? t->find<content::ClientToken>({caller.user, creation.operation, *token})
                            : std::nullopt;
    if (before && before->spec_digest == creation.spec_digest) return Created{before->result_id, true};
    if ((is_malformed || before) && creation.find_container) QUIRE_RETURN_IF_ERROR(creation.find_container(t));
    if (is_malformed)
      return Error(ErrorKind::invalid_argument, "quire.client_token.malformed",
                   "The client token {client_token} is not a UUID; send a fresh UUID for each creation.",
                   {{"client_token", *token}});
    if (before)
      return Error(ErrorKind::invalid_argument, "quire.client_token.other_spec",
                   "The client token {client_token} was sent before with another specification; use a fresh UUID.",
                   {{"client_token", *token}});
    QUIRE_ASSIGN_OR_RETURN(auto id, create(t));
    if (token)
      t->insert(content::ClientToken{caller.user, std::string(creation.operation), *token, creation.spec_digest, id,
                                     t.now()});
    return Created{std::move(id), false};
  });
}

std::string spec_digest(const std::vector<std::optional<std::string>>& parts) {
  base::Hasher hasher(base::DigestAlgorithm::SHA256);
  const auto add = [&](std::string_view text) { hasher.update(std::as_bytes(std::span(text))); };
  for (const auto& part : parts) {
    if (!part) {
      add("-;");
    } else {
      add(std::to_string(part->size()) + ":");
      add(*part);
    }
  }
  return hasher.finish().hex;
}

}  // namespace quire::service

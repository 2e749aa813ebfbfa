#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string_view>

#include "content/update_session_rules.h"
#include "service/transaction/transaction.h"

/// What a package's metadata files say is stored when they come. Where it is not (a catalog of an older version, an
/// item that became a package later), their bytes are read: before the transaction that needs to know.
namespace quire::service {

using FactsByBlob = std::map<content::BlobId, content::PackageFacts>;

/// True for a descriptor or manifest of which nobody has said yet what is in it.
bool lacks_facts(std::string_view item_type, std::string_view file_name, const content::PackageFacts& facts);

/// The answer of a change that met such a file and was not given its facts.
base::Error facts_needed();
bool is_facts_needed(const base::Error& error);

/// Sets the facts of an entry that lacks them; facts_needed() when they are not among `facts`.
base::Result<void> complete_facts(std::string_view item_type, content::SessionFile& file, const FactsByBlob& facts);

/// Finds the item that a change is about, if it is there.
using FindItem = std::function<std::optional<content::Item>(View)>;

/// Outside of transactions: the facts of those files of the item and of its ACTIVE session that lack them. A file that
/// is not what its name says has UnreadableFacts. ResourceInaccessible, with file and item, when bytes cannot be read:
/// nothing is judged by what was not seen.
base::Result<FactsByBlob> read_needed_facts(Context& context, const content::Caller& caller, const FindItem& find);

/// Runs `change(const FactsByBlob&)`, a change of the catalog. If it answers facts_needed(), they are read and it runs
/// again with them; its own comparison of blobs tells whether they still are the right ones.
template <class F>
auto with_needed_facts(Context& context, const content::Caller& caller, const FindItem& find, F&& change)
    -> decltype(change(FactsByBlob())) {
  constexpr int rounds = 3;  // only new content at just this moment makes a second one
  auto answer = change(FactsByBlob());
  for (int round = 0; round < rounds && !answer && is_facts_needed(answer.error()); ++round) {
    QUIRE_ASSIGN_OR_RETURN(const auto facts, read_needed_facts(context, caller, find));
    answer = change(facts);
  }
  return answer;
}

}  // namespace quire::service

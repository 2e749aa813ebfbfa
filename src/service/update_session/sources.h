#pragma once

#include "service/transaction/context.h"

namespace quire::service {

/// The places that files are pulled from. All threads may call it.
class Sources {
 public:
  explicit Sources(Context& context) : context_(context) {}

  /// Asks an http or https source for its head, under the same policy as a pull; other schemes are unusable (§15.2).
  /// Every outcome is in the result; Unsupported where the server has no fetcher. Blocks for as long as the other end
  /// may take.
  base::Result<content::FetchOutcome> probe(const content::SourceEndpoint& source);

  /// The source as it is kept: empty texts for certificate and thumbprint are unset. InvalidArgument when it can never
  /// be fetched: malformed, another scheme, a thumbprint or certificate that cannot be read. Unauthorized: `file:` and
  /// `ds:` need ContentLibrary.ReadStorage on the item (§1.9). Unsupported where the server has no fetcher.
  base::Result<content::SourceEndpoint> accept(const content::Caller& caller, const content::Item& item,
                                               content::SourceEndpoint source) const;

 private:
  Context& context_;
};

/// What a fetcher is asked for.
content::FetchRequest fetch_request(const content::SourceEndpoint& source);

/// The pulls that a pulled descriptor brings: of each file that it references and that `others`, its session, has not
/// been given otherwise (§15.3). None for other files. They are read beside the descriptor, under the name of the file
/// that the href means, from (§28.2):
/// - http, https: the href resolved against the URL that the descriptor was finally read from, else against the one
///   that was given; where it has a query, at last the file of that very name;
/// - file, ds: the file that is called as the href is written, else as it is percent-decoded.
std::vector<content::SessionFile> referenced_pulls(const content::SessionFile& descriptor,
                                                   const std::vector<content::SessionFile>& others,
                                                   base::IdentitySource& identities);

}  // namespace quire::service

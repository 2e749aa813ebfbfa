#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "content/blob_store.h"
#include "service/access/login_throttle.h"
#include "service/transaction/transaction.h"
#include "vcsp/documents.h"

namespace quire::service {

/// Who asks for something of a published library: nobody that has a login, but perhaps a password (vcsp.md §6.3).
struct Subscriber {
  std::optional<std::string> user = {};
  std::string password = {};
  std::string address = {};     ///< of the other end, as numbers
  std::string user_agent = {};  ///< as it calls itself; empty: it does not
};

/// Somebody who has read of a published library: one for each address and name.
struct PublicationReader {
  std::string address;
  std::string user_agent;                    ///< bounded, fit to be shown
  base::Time last_read;                      ///< by the wall clock
  std::optional<std::int64_t> version = {};  ///< the library's, when lib.json or the index was read last
};

/// Who has read, as far as this process remembers.
struct PublicationReaders {
  base::Time since;                        ///< nothing before is remembered
  std::int64_t version = 0;                ///< what is published now
  std::vector<PublicationReader> readers;  ///< the last one first; Limits::publication_readers_max
};

/// What subscribers see of a library in one state of the catalog.
struct PublishedState {
  content::Library library;
  std::map<content::ItemId, std::shared_ptr<const std::string>> items;  ///< each as it stands in the index
};

struct PublishedDocument {
  std::shared_ptr<const std::string> text;
  std::string sha256;  ///< of the text, lower-case hexadecimal
};

/// A file of a published item, open. `item` and `content` are for touch().
struct PublishedFile {
  std::shared_ptr<content::BlobReader> bytes;
  std::string sha256;
  content::ItemId item;
  content::ContentId content;
};

/// Its descriptor.
vcsp::Library published_library(const content::Library& library);

/// What published libraries show to those who subscribe to them (vcsp.md; decision 20). All threads may call it.
///
/// Each call is for one library and errs alike: NotFound for one that is not there or not published, which nobody can
/// tell apart; Unauthenticated for a missing or wrong password, and ResourceBusy (`quire.session.too_many_failures`,
/// with `seconds`) while too many wrong ones have come. What is asked for without news since the last time costs no
/// query where this process alone writes to the catalog, else one.
class Publications {
 public:
  Publications(Context& context, LoginThrottle& throttle);

  base::Result<PublishedDocument> library_document(const content::LibraryId& id, const Subscriber& who);
  /// All items in one state of the catalog. After a change, only what changed is read again.
  base::Result<PublishedDocument> index(const content::LibraryId& id, const Subscriber& who);
  /// NotFound also for an item that the index does not show.
  base::Result<PublishedDocument> item_document(const content::LibraryId& id, const content::ItemId& item,
                                                const Subscriber& who);
  /// The file's copy that came with content version `since`. NotFound when there is none, or when the item has other
  /// ones since longer than Settings::replaced_content_retention and nobody reads it.
  base::Result<PublishedFile> open_file(const content::LibraryId& id, const content::ItemId& item, std::int64_t since,
                                        const std::string& name, const Subscriber& who);
  /// For who writes all of it elsewhere: no password is asked for. NotFound as above.
  base::Result<PublishedState> state(const content::LibraryId& id);
  /// Likewise, as open_file().
  base::Result<PublishedFile> open_file(const content::LibraryId& id, const content::ItemId& item, std::int64_t since,
                                        const std::string& name);
  /// Call it now and then while bytes of a file flow: its item's other files stay as they are meanwhile.
  base::Result<void> touch(const content::ItemId& item, const content::ContentId& content);

  /// Who was let in. Kept in memory alone, because a poll without news must not cost a write; a restart forgets it, and
  /// with the next poll of each subscriber it is known again. NotFound, InvalidElementType: a subscribed library;
  /// NotAllowedInCurrentState: it is not published.
  base::Result<PublicationReaders> readers(const content::Caller& caller, const content::LibraryId& id);

 private:
  using Library = std::shared_ptr<const content::Library>;
  struct Known {
    Library library;
    bool current = false;  ///< read since anything of any library has changed
    std::optional<PublishedDocument> document = {};
  };
  struct Index;
  struct News;
  enum class Reads { version, content };

  base::Result<Library> enter(const content::LibraryId& id, const Subscriber& who, Reads reads);
  void remember(const content::Library& library, const Subscriber& who, Reads reads);
  base::Result<Library> find(const content::LibraryId& id);
  base::Result<void> check_password(const content::Library& library, const Subscriber& who);
  bool is_password(const content::Library& library, const std::string& password);
  std::shared_ptr<Index> index_of(const content::LibraryId& id);
  base::Result<void> bring_up_to_date(const content::LibraryId& id, Index& index, std::int64_t generation);
  base::Result<News> read_news(const content::LibraryId& id, const Index& index);
  void keep_within_bounds(const content::LibraryId& written);

  Context& context_;
  LoginThrottle& throttle_;

  std::mutex known_mutex_;
  std::optional<std::uint64_t> known_at_;  ///< Catalog::libraries_version() that all that is known is from
  std::unordered_map<content::LibraryId, Known> known_;  ///< published ones

  /// Comparing with a stored digest is slow on purpose, and subscribers send their password with every request: a
  /// password that was right is remembered as a digest by a key that nobody else has.
  const std::string password_key_;
  std::mutex passwords_mutex_;
  struct RightPassword {
    std::string hash;    ///< as stored
    std::string digest;  ///< of the password that fits it
  };
  std::unordered_map<content::LibraryId, RightPassword> right_passwords_;

  const base::Time started_;
  std::mutex readers_mutex_;
  std::unordered_map<content::LibraryId, std::vector<PublicationReader>> readers_;  ///< the last one first

  std::mutex indexes_mutex_;
  std::list<content::LibraryId> by_use_;  ///< the last used first
  std::unordered_map<content::LibraryId, std::shared_ptr<Index>> indexes_;
};

}  // namespace quire::service

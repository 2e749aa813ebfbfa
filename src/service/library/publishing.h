#pragma once

#include <string>

#include "service/access/login_throttle.h"
#include "service/library/libraries.h"

/// What a client changes of a library's publication (content-library-api.md §4.2, §23.9). Passwords cost time on
/// purpose, so they are looked at before the transaction, and what was found out is compared inside.
namespace quire::service {

/// Under what guesses of a library's password are counted, wherever they are made.
std::string publication_key(const content::LibraryId& id);

/// A change whose passwords have been checked and hashed.
struct PublishingChange {
  bool published = false;
  bool persist_json = false;
  content::AuthenticationMethod authentication = content::AuthenticationMethod::NONE;
  std::string password_hash;
  std::string hash_before;  ///< of the library that was looked at
};

/// Of `library` as it is now; a new one is as a default value. A password without a method, or with NONE, means BASIC:
/// clients that forget the method must not publish for everybody. A password that is the present one changes nothing.
/// InvalidArgument: another user name than `vcsp`, BASIC without a password, or `current_password` missing or wrong
/// where it is needed: to change the password, to leave BASIC, to end the publication (§23.9); also while too many
/// wrong ones have come.
base::Result<PublishingChange> plan_publishing(Context& context, LoginThrottle& throttle, const content::Caller& caller,
                                               const content::Library& library, const PublishSpec& spec);

/// Puts it on the library; its generation moves when it becomes published. ResourceBusy when somebody else has changed
/// the password since the plan was made.
base::Result<void> apply_publishing(const PublishingChange& change, content::Library& library);

/// NotAllowedInCurrentState when the library is not published.
base::Result<void> check_published(const content::Library& library);

/// Tells what became of the publication, if anything did. `before`: the row as it was; published false for a new one.
void record_publishing(Transaction& t, const content::Library& before, const content::Library& after);

}  // namespace quire::service

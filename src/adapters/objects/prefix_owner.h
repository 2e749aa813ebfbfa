#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "content/object_store.h"

/// Whose the objects of a store are. At its start a server removes blobs that its catalog does not name, so two
/// installations must never share a place: an object `quire.json` there names the one that has it. The key is none of a
/// blob's.
namespace quire::adapters::objects {

/// Makes the place `installation`'s, whose identifier that is, when it is empty. ResourceInUse: it is another one's, or
/// there are objects without that name. `place` is for the messages: `s3://bucket/prefix`.
base::Result<void> claim_place(content::ObjectStore& objects, const std::string& installation,
                               const std::string& place);

/// The object that says whose a place is.
inline constexpr std::string_view owner_key = "quire.json";

/// For who must change nothing: ResourceInUse unless claim_place() was called there for this installation.
base::Result<void> check_place(content::ObjectStore& objects, const std::string& installation,
                               const std::string& place);

}  // namespace quire::adapters::objects

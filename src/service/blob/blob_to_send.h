#pragma once

#include <memory>
#include <string>
#include <utility>

#include "service/blob/blob_bytes.h"
#include "service/transaction/context.h"

/// Bytes that go out to a client, which must be those that were once stored. Outside of transactions.
namespace quire::service {

/// NotFound when the bytes are not there, which may have moved since the row was read (open_found());
/// ServiceUnavailable when their storage cannot be asked just now; internal else.
base::Result<std::shared_ptr<content::BlobReader>> open_to_send(Context& context, const content::Blob& blob);

/// Whether they are what the catalog says; `name` is the file's, for who reads the Error. Costs a reading of all of
/// them when the blob has lost its seal (architecture.md "A download").
base::Result<void> check_to_send(const content::Blob& blob, const std::string& name, content::BlobReader& bytes);

/// Whether open_to_send() said so of a row that is there.
bool bytes_are_missing(const base::Error& error);

/// Opens what `look` finds, a Result of a structure with the row as `blob` and room for its open `bytes`, and makes
/// sure that it is what the catalog says; `name` is the file's, for who reads the Error. It may move, or be named by
/// nothing any more, between the look and the opening: then it looks again. Errors of `look`; internal when the bytes
/// are gone or damaged.
template <class Look>
auto open_found_to_send(Context& context, const std::string& name, Look look) -> decltype(look()) {
  auto found = open_found(look, [&](auto& place) -> decltype(look()) {
    QUIRE_ASSIGN_OR_RETURN(place.bytes, open_to_send(context, place.blob));
    return std::move(place);
  });
  if (!found) return bytes_are_missing(found.error()) ? base::internal_error(found.error().text()) : found.error();
  QUIRE_RETURN_IF_ERROR(check_to_send(found->blob, name, *found->bytes));
  return found;
}

}  // namespace quire::service

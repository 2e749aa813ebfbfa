#pragma once

#include <cstddef>
#include <cstdint>

namespace quire::content {

/// Bounds on what clients may ask for, each with its default. Breaking one is InvalidArgument unless said otherwise.
struct Limits {
  std::size_t name_chars_max = 80;           ///< item and library names (content-library-api.md §28.4)
  std::size_t description_chars_max = 2000;  ///< §4.2, §11.2
  std::size_t type_chars_max = 80;           ///< item type
  std::size_t message_chars_max = 4000;      ///< client_error_message
  std::size_t files_per_item_max = 2000;     ///< entries of one update session, members of an archive included
  std::size_t password_length_min = 8;       ///< characters of a password that is set; shorter: InvalidArgument
  std::size_t group_members_max = 10'000;
  std::size_t logins_max = 3000;                    ///< login sessions alive at once; more: ServiceUnavailable
  std::size_t api_tokens_of_user_max = 100;         ///< more: UnableToAllocateResource
  std::size_t event_streams_max = 500;              ///< clients that follow the events; more: ServiceUnavailable
  std::size_t event_streams_of_user_max = 50;       ///< likewise, of one user
  std::size_t webhooks_max = 100;                   ///< more: UnableToAllocateResource
  std::size_t webhook_deliveries_max = 1000;        ///< of one webhook that wait; further events wait in their table
  std::size_t update_sessions_active_max = 10'000;  ///< more: ServiceUnavailable
  std::size_t download_sessions_max = 10'000;       ///< more: ServiceUnavailable
  std::size_t tag_categories_max = 1000;
  std::size_t tags_max = 10'000;
  std::size_t tags_of_object_max = 128;
  std::size_t library_usages_max = 1000;
  std::size_t library_subscriptions_max = 1000;           ///< of a published library, to subscribed ones
  std::size_t publication_readers_max = 100;              ///< the last ones of a published library; not an error
  std::size_t tasks_active_max = 10'000;                  ///< that have not ended; more: ServiceUnavailable
  std::size_t trusted_certificates_max = 1000;            ///< more: UnableToAllocateResource
  std::int64_t published_index_bytes_max = 256LL << 20U;  ///< memory for the written indexes of published libraries
  std::int64_t source_index_bytes_max =
      256LL << 20U;                      ///< of the index of a library that is subscribed to; not an error of a call
  std::size_t upload_ranges_max = 4096;  ///< separate places that have arrived of one file
  std::int64_t catalog_blob_bytes_max = 4096;          ///< a larger file lies in its storage's blob store; not an error
  std::int64_t metadata_file_bytes_max = 16LL << 20U;  ///< descriptor, manifest or certificate of an OVF package
};

}  // namespace quire::content

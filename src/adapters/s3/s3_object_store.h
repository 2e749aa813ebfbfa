#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "adapters/s3/s3_credentials.h"
#include "base/clock.h"
#include "base/identity.h"
#include "base/result.h"
#include "base/time.h"
#include "content/object_store.h"

namespace quire::adapters::s3 {

/// Where the name of a bucket stands in addresses.
enum class Addressing {
  path_style,    ///< `https://host/bucket/key`
  virtual_host,  ///< `https://bucket.host/key`
};

struct S3Options {
  std::string bucket;      ///< it must be there already
  std::string key_prefix;  ///< before every key, such as `quire/`; of A-Z a-z 0-9 and `/!-_.*'()`. May be empty
  std::string region = "us-east-1";  ///< a name that the service knows; many know no others than this one
  std::string endpoint;              ///< an http or https URL without path; empty: AWS's own in `region`
  Addressing addressing = Addressing::path_style;
  std::string extra_ca_file;      ///< PEM; roots beside the system's. Empty: none
  std::string user_agent;         ///< empty: the header is not sent
  CredentialsSource credentials;  ///< read with the first request, and again when the service no longer takes them

  base::Duration connect_timeout = std::chrono::seconds(5);  ///< name, TCP and TLS together
  base::Duration stall_timeout = std::chrono::seconds(10);   ///< of one try: without a byte in either direction
  base::Duration try_timeout = std::chrono::seconds(30);     ///< of one try with all its bytes
  base::Duration deadline = std::chrono::seconds(60);        ///< of a call, or 1,000 removals: all tries and waits
  int tries_max = 5;                                         ///< at least 1
  base::Duration first_wait = std::chrono::milliseconds(200);
  base::Duration longest_wait = std::chrono::seconds(10);
  std::function<void(base::Duration)> wait;  ///< unset: the calling thread sleeps

  std::size_t page_objects_max = 1000;  ///< of a list(); 1,000 is the most that S3 gives
};

/// The ObjectStore on a bucket of AWS S3 or of another service with its REST API and conditional writes
/// (`If-None-Match: *`): requests signed by Signature Version 4, over connections that are kept (ServiceConnections).
///
/// What does not get through (no connection, no whole answer, 408, 429, 500, 502 to 504, 409 of writes at once, an
/// answer that cannot be right) is tried again after a wait that doubles and is drawn by chance, or as long as
/// `Retry-After` says; as often and as long as the options allow. What the service refuses is not. Redirects are
/// refused, because a signature is good for one host; the message says which region the bucket is in when it is told.
///
/// A put() that finds its key taken after a try that may have reached the service compares the bytes that are there, so
/// that its own object is not taken for another's. list() leaves out objects whose keys are none of this port.
///
/// No secret and no signature is logged, or part of an Error. InvalidArgument for options that cannot be right; nothing
/// is sent until the first call. `clock` and `identities` must outlive the store. The process must ignore SIGPIPE.
base::Result<std::unique_ptr<content::ObjectStore>> make_s3_object_store(S3Options options, base::Clock& clock,
                                                                         base::IdentitySource& identities);

}  // namespace quire::adapters::s3

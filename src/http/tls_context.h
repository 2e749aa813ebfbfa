#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace quire::http {

/// The server side of TLS: 1.2 or later, HTTP/1.1 by ALPN, the certificate chain and key of the two PEM files.
/// InvalidArgument when they cannot be read or do not belong together. Immutable, so all threads may use it.
base::Result<std::shared_ptr<SSL_CTX>> make_tls_context(const std::string& certificate_file,
                                                        const std::string& key_file);

/// What OpenSSL has to say about its last failure on this thread; empties its list.
std::string openssl_errors();

}  // namespace quire::http

#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "api/type.h"

namespace quire::golden {

/// Self-signed, for a hundred years.
inline constexpr const char* a_certificate =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBiDCCAS+gAwIBAgIUGILS2PwEuNYSfmn9fMNovttt+0owCgYIKoZIzj0EAwIw\n"
    "GTEXMBUGA1UEAwwOVHJ1c3RlZCBzaWduZXIwIBcNMjYxMTI4MTQyNzM5WhgPMjEy\n"
    "NjExMDQxNDI3MzlaMBkxFzAVBgNVBAMMDlRydXN0ZWQgc2lnbmVyMFkwEwYHKoZI\n"
    "zj0CAQYIKoZIzj0DAQcDQgAE0kkwJEJkWssroNsBosDkBarmWq4rPEhTjEpBK/uo\n"
    "SZcqIY6mhs9r7FGQEZBLNOB3Pcjlibf2Lq4X7oHnEXweS6NTMFEwHQYDVR0OBBYE\n"
    "FChj0dTrnRZXIueXNv80vOokzApwMB8GA1UdIwQYMBaAFChj0dTrnRZXIueXNv80\n"
    "vOokzApwMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgT8vSkFec\n"
    "RRZ0Hm4Cou8SV1zRuTXQJ5OIgzhOlYQo90gCIEKte+eIgZRXMHdKBVB8pA71nklJ\n"
    "f0KMO1OQJqMesqj0\n"
    "-----END CERTIFICATE-----\n";

/// A value of the type with everything in it, as new REST writes it.
boost::json::value plausible(const api::Type& type);

/// A part of a value: `create_spec.library_id`.
boost::json::value& at_path(boost::json::value& value, std::string_view path);

}  // namespace quire::golden

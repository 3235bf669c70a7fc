// The owners of OpenSSL's objects under the names of trust/.
#pragma once

#include "crypt/openssl_handles.hpp"

namespace lade::trust {

using crypt::bio_of;
using crypt::BioHandle;
using crypt::bytes_of;
using crypt::CertificateHandle;
using crypt::DigestHandle;
using crypt::FreeBy;
using crypt::text_in;

}  // namespace lade::trust

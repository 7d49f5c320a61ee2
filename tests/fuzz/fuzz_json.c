// SPDX-License-Identifier: Apache-2.0
#include "decoded.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    decoded_try(WIRE_JSON, (struct str){(const char *)bytes, len});
    return 0;
}

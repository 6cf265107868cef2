# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The chunked form of an HTTP answer's body (RFC 9112, section 7.1). Loaded by http.py when a
# server uses it, which ours do not.


# Appends the body to content. connection: a Connection whose answer has come to its body.
async def read(connection, content, limit_bytes):
    while True:
        try:
            size = int((await connection.line()).split(b";")[0], 16)
        except ValueError:
            size = -1
        if size < 0:
            raise connection.failure("the answer's chunks are malformed")
        if not size:
            break
        await connection.extend(content, size, limit_bytes)
        await connection.line()
    while await connection.line():
        pass

"""A mail server that delivers nothing: each mail becomes a file, so a demonstration cannot mail anyone."""

import asyncio
import contextlib
import itertools
import sys
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from aiosmtpd.smtp import SMTP


class ToFolder:
    def __init__(self, folder):
        self.folder = folder
        self.numbers = itertools.count(1)

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 (the name is aiosmtpd's)
        subject = message_from_bytes(envelope.content, policy=default).get("Subject", "")
        words = "".join(sign if sign.isalnum() else "-" for sign in subject)[:60].strip("-")
        (self.folder / f"{next(self.numbers):03d}-{words}.eml").write_bytes(envelope.content)
        return "250 OK"


async def main(folder, port):
    loop = asyncio.get_running_loop()
    handler = ToFolder(Path(folder))
    server = await loop.create_server(lambda: SMTP(handler, decode_data=False, enable_SMTPUTF8=True), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1], int(sys.argv[2])))

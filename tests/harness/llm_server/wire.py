"""One connection to a client, with full control of its bytes."""

import asyncio
import socket
import struct
from typing import NoReturn

# On, with no time to linger: closing sends RST and drops what is still in the buffer.
LINGER_ZERO = struct.pack("ii", 1, 0)
FLUSH_POLL_S = 0.001


class Wire:
    """The sending side of a connection."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.is_closed = False
        """Nothing more can be sent."""

    async def write(self, data: bytes) -> None:
        """Send at once.

        Raises:
            ConnectionError: the connection is gone.
        """
        if self.is_closed or self._writer.is_closing():
            raise ConnectionResetError("the connection is closed")
        self._writer.write(data)
        await self._writer.drain()

    async def drip(self, data: bytes, interval_ms: int) -> None:
        """Send one byte at a time."""
        for index in range(len(data)):
            await self.write(data[index : index + 1])
            await asyncio.sleep(interval_ms / 1000)

    async def hang(self) -> NoReturn:
        """Send nothing for ever: until the client leaves or the server stops."""
        await asyncio.Event().wait()
        raise AssertionError("nobody sets this event")

    async def close(self) -> None:
        """End the connection the orderly way, after all that was written."""
        await self._flush()
        self.is_closed = True
        self._writer.close()

    async def reset(self) -> None:
        """Break the connection: the client gets "connection reset by peer"."""
        await self._flush()
        self.is_closed = True
        connection: socket.socket = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        self._writer.transport.abort()

    def drop(self) -> None:
        """Let go of the connection at once, whatever state it is in."""
        self.is_closed = True
        self._writer.transport.abort()

    async def _flush(self) -> None:
        """Wait until the kernel has everything, or a reset would swallow the end of it."""
        while self._writer.transport.get_write_buffer_size():
            await asyncio.sleep(FLUSH_POLL_S)

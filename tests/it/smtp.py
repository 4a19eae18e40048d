# SPDX-License-Identifier: Apache-2.0
"""A small SMTP and LMTP server that keeps what it gets, and misbehaves when told to."""
import os
import socket
import threading
import time

import proc


class Message:
	def __init__(self, sender, rcpts, data, helo, commands):
		self.sender, self.rcpts, self.data, self.helo, self.commands = sender, rcpts, data, helo, commands

	@property
	def head(self):
		return self.data.split(b"\r\n\r\n", 1)[0]

	@property
	def body(self):
		return self.data.split(b"\r\n\r\n", 1)[1]

	def field(self, name):
		"""Values of a field, unfolded."""
		lines = self.head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").split(b"\r\n")
		return [l.split(b":", 1)[1].strip() for l in lines if l.lower().startswith(name.lower().encode() + b":")]


class Relay:
	"""Answers to commands can be replaced: say["RCPT"] = "550 5.1.1 nobody\r\n"; None: no answer at all."""

	def __init__(self, path=None, lmtp=False, extensions=("8BITMIME", "SIZE 99999999", "PIPELINING")):
		self.path, self.lmtp, self.extensions = path, lmtp, extensions
		self.say, self.messages, self.cut, self.connections = {}, [], 0, 0
		self.lock = threading.Lock()
		self.threads = []
		self.delay = 0.0
		self.server = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
		if path:
			if os.path.exists(path):
				os.unlink(path)
			self.server.bind(path)
			os.chmod(path, 0o666)
			self.port = None
		else:
			self.port = proc.free_port()
			self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
			self.server.bind(("127.0.0.1", self.port))
		self.server.listen(64)
		self.closing = False
		self.main = threading.Thread(target=self.accept, daemon=True)
		self.main.start()

	def accept(self):
		while not self.closing:
			try:
				s, _ = self.server.accept()
			except OSError:
				return
			self.connections += 1
			t = threading.Thread(target=self.serve, args=(s,), daemon=True)
			t.start()

	def reply(self, s, what, text):
		text = self.say.get(what, text)
		if callable(text):
			text = text()
		if text is None:
			time.sleep(60) if not self.closing else None
			return False
		s.sendall(text.encode())
		return True

	def serve(self, s):
		s.settimeout(90)
		f = s.makefile("rb")
		sender, rcpts, helo, commands = None, [], None, []
		try:
			if not self.reply(s, "greeting", "220-relay.test welcomes you\r\n220 ready\r\n"):
				return
			while True:
				line = f.readline()
				if not line:
					return
				commands.append(line)
				assert line.endswith(b"\r\n"), line
				word = line.split()[0].decode().upper() if line.split() else ""
				if self.delay:
					time.sleep(self.delay)
				if word in ("EHLO", "LHLO", "HELO"):
					helo = line.split()[1].decode()
					ext = "" if word == "HELO" else "".join("250-%s\r\n" % e for e in self.extensions)
					first = "250-relay.test\r\n" if ext else ""
					if (word == "LHLO") != self.lmtp:
						s.sendall(b"500 not here\r\n")
					else:
						self.reply(s, word, first + ext + "250 relay.test\r\n" if not ext else first + ext + "250 HELP\r\n")
				elif word == "MAIL":
					sender = line
					self.reply(s, "MAIL", "250 2.1.0 Ok\r\n")
				elif word == "RCPT":
					answer = self.say.get("RCPT", "250 2.1.5 Ok\r\n")
					if isinstance(answer, dict):
						answer = next((v for k, v in answer.items() if k.encode() in line), "250 Ok\r\n")
					if answer.startswith("250"):
						rcpts.append(line.split(b"<", 1)[1].split(b">")[0].decode())
					s.sendall(answer.encode())
				elif word == "DATA":
					if not self.reply(s, "DATA", "354 End data with <CR><LF>.<CR><LF>\r\n"):
						return
					data = b""
					while True:
						line = f.readline()
						if not line.endswith(b"\n"):
							self.cut += 1
							return
						if line == b".\r\n":
							break
						assert line.endswith(b"\r\n") and b"\r" not in line[:-2] and len(line) <= 1001, line[:80]
						data += line[1:] if line.startswith(b".") else line
					with self.lock:
						self.messages.append(Message(sender, rcpts, data, helo, commands))
					n = len(rcpts) if self.lmtp else 1
					for i in range(n):
						self.reply(s, "dot%d" % i, "250 2.0.0 Ok: queued as T%d\r\n" % len(self.messages))
					sender, rcpts = None, []
				elif word == "QUIT":
					s.sendall(b"221 Bye\r\n")
					return
				else:
					s.sendall(b"502 5.5.2 what?\r\n")
		except OSError:
			self.cut += 1
		finally:
			f.close()
			s.close()

	def url(self):
		if self.lmtp:
			return "lmtp:" + self.path if self.path else "lmtp://127.0.0.1:%d" % self.port
		return "unix:" + self.path if self.path else "smtp://127.0.0.1:%d" % self.port

	def take(self, n=1, timeout=5.0):
		"""The next @n messages, in no order."""
		proc.wait_for(lambda: len(self.messages) >= n, timeout, why="%d messages" % n)
		with self.lock:
			out, self.messages = self.messages[:n], self.messages[n:]
		return out[0] if n == 1 else out

	def close(self):
		self.closing = True
		try:
			self.server.shutdown(socket.SHUT_RDWR)
		except OSError:
			pass
		self.server.close()
		self.main.join(2)
		if self.path and os.path.exists(self.path):
			os.unlink(self.path)

-- SPDX-License-Identifier: MIT OR Apache-2.0
-- Both sides in one program: logins at a server, ANONYMOUS from a client.
-- Arguments: user, password, a wrong password.
local sasl = require("cyrussasl")
local user, password, wrong = arg[1], arg[2], arg[3]
local logged, canonical = 0, {}

local function log() logged = logged + 1 end

local function canon(name)
  canonical[#canonical + 1] = name
  return string.lower(name)
end

local function server()
  local conn = sasl.server_new("imap", "srv.lab.test", "lab.test", nil, nil)
  sasl.set_canon_cb(conn, canon)
  return conn
end

local function plain(name, word)
  local conn = server()
  local code = sasl.server_start(conn, "PLAIN", "\0" .. name .. "\0" .. word)
  return code, conn
end

sasl.server_init("luaapp")
sasl.client_init()
sasl.set_log_cb(log)

local list = sasl.listmech(server(), "", "<", "|", ">")
print("mechanisms", list)
local code, conn = plain(string.upper(user), password)
print("right", code, sasl.get_username(conn))
code = plain(user, wrong)
print("wrong", code)
code, conn = plain("nobody", password)
print("unknown", code, sasl.get_message(conn) ~= "")
print("bad", (sasl.server_start(server(), "PLAIN", "x")))
print("no such", (sasl.server_start(server(), "FOO", "")))

conn = server()
local first, prompt = sasl.server_start(conn, "LOGIN", nil)
local second = sasl.server_step(conn, user)
local last = sasl.server_step(conn, password)
print("LOGIN", first, prompt, second, last, sasl.get_username(conn))

local client = sasl.client_new("imap", "srv.lab.test", nil, nil)
sasl.set_username(client, "trace")
local state, data, mechanism = sasl.client_start(client, "ANONYMOUS")
conn = server()
print("ANONYMOUS", state, mechanism, (sasl.server_start(conn, mechanism, data)))
print("base64", sasl.encode64("ab"), sasl.decode64("YWI="))
print("canonical", #canonical > 0, "logged", logged > 0)

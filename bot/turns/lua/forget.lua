-- Forgets a follower's dialogue and the messages that are held for them. Answers how many of the two there were.
-- A message at work, or waiting to be worked on again, still needs the dialogue: run a second time without it, the one
-- that asked for the erasure would be read as something else. Its commit forgets the dialogue then (commit.lua).
-- KEYS: 1 state  2 held  3 queue  4 forgotten   ARGV: 1 ttl of the mark
local gone = redis.call('DEL', KEYS[2])
if redis.call('ZCARD', KEYS[3]) == 0 then
  return gone + redis.call('DEL', KEYS[1])
end
if redis.call('SET', KEYS[4], 1, 'PX', ARGV[1], 'NX') then
  gone = gone + redis.call('EXISTS', KEYS[1])
end
return gone

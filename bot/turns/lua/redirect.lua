-- Moves a stored passive reply to the outbox, when its delivery was already answered without it. Answers 1 when it
-- was moved, 0 when another attempt has served it or there is nothing to move.
-- KEYS: 1 delivery  2 outbox   ARGV: 1 openid  2 number of outbox entries, then per entry id and body
local found = redis.call('HMGET', KEYS[1], 'done', 'served', 'reply')
if not found[1] or found[2] or not found[3] or found[3] == '' then
  return 0
end
redis.call('HSET', KEYS[1], 'reply', '', 'served', 1)
for i = 1, tonumber(ARGV[2]) do
  redis.call('XADD', KEYS[2], '*', 'openid', ARGV[1], 'id', ARGV[1 + 2 * i], 'body', ARGV[2 + 2 * i])
end
return 1

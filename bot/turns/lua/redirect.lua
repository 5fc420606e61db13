-- Gives back a stored passive reply whose connection is gone. Answers 1 when it was moved to the outbox, 0 when another
-- attempt has taken it too and answers with it, or when there is nothing to move.
-- KEYS: 1 delivery  2 outbox   ARGV: 1 openid  2 number of outbox entries, then per entry id and body
local found = redis.call('HMGET', KEYS[1], 'done', 'reply')
if not found[1] or not found[2] or found[2] == '' then
  return 0
end
if redis.call('HINCRBY', KEYS[1], 'takers', -1) > 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'reply', '')
for i = 1, tonumber(ARGV[2]) do
  redis.call('XADD', KEYS[2], '*', 'openid', ARGV[1], 'id', ARGV[1 + 2 * i], 'body', ARGV[2 + 2 * i])
end
return 1

-- Gives the follower's lock back without a commit, after a turn failed. The message stays pending.
-- KEYS: 1 lock  2 waiters  3 delivery   ARGV: 1 fence  2 openid  3 the try does not count (1 or 0)
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
if ARGV[3] == '1' and redis.call('HEXISTS', KEYS[3], 'tries') == 1 then
  redis.call('HINCRBY', KEYS[3], 'tries', -1)
end
if redis.call('DEL', KEYS[2]) == 1 then
  redis.call('PUBLISH', 'turns', ARGV[2])
end
return 1

-- Gives the follower's lock back without a commit, after a turn failed. The message stays pending.
-- KEYS: 1 lock  2 waiters   ARGV: 1 fence  2 openid
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
if redis.call('DEL', KEYS[2]) == 1 then
  redis.call('PUBLISH', 'turns', ARGV[2])
end
return 1

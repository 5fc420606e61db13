-- Keeps the follower's lock while its turn is still at work. Answers 1, or 0 when the lock is no longer ours.
-- KEYS: 1 lock   ARGV: 1 fence  2 lock_ttl_ms
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])

-- Forgets a follower's dialogue and the messages that are held for them. Answers how many of the two there were.
-- KEYS: 1 state  2 held
return redis.call('DEL', KEYS[1], KEYS[2])

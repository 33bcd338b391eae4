-- The stock of Germany that matters. {fraction} is 0.0001 by the scale.
WITH stock AS (
  SELECT ps_partkey, ps_supplycost * ps_availqty AS worth
  FROM partsupp
  JOIN supplier ON s_suppkey = ps_suppkey
  JOIN nation ON n_nationkey = s_nationkey
  WHERE n_name = 'GERMANY'
)
SELECT ps_partkey, sum(worth) AS total
FROM stock
GROUP BY ps_partkey
HAVING CAST(sum(worth) AS double precision)
  > (SELECT CAST(sum(worth) AS double precision) * {fraction} FROM stock)
ORDER BY total DESC, ps_partkey

-- Brazil's share of a kind of steel in America.
WITH volumes AS (
  SELECT extract(year FROM o_orderdate) AS ordered,
         l_extendedprice * (1 - l_discount) AS volume,
         seller.n_name AS nation
  FROM part
  JOIN lineitem ON l_partkey = p_partkey
  JOIN supplier ON s_suppkey = l_suppkey
  JOIN orders ON o_orderkey = l_orderkey
  JOIN customer ON c_custkey = o_custkey
  JOIN nation buyer ON buyer.n_nationkey = c_nationkey
  JOIN region ON r_regionkey = buyer.n_regionkey
  JOIN nation seller ON seller.n_nationkey = s_nationkey
  WHERE r_name = 'AMERICA'
    AND o_orderdate BETWEEN DATE '1995-01-01' AND DATE '1996-12-31'
    AND p_type = 'ECONOMY ANODIZED STEEL'
)
SELECT ordered,
       CAST(sum(CASE WHEN nation = 'BRAZIL' THEN volume ELSE 0 END) AS double precision)
         / CAST(sum(volume) AS double precision) AS share
FROM volumes
GROUP BY ordered
ORDER BY ordered

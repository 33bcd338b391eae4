-- Goods between France and Germany by year.
WITH shipments AS (
  SELECT one.n_name AS seller,
         other.n_name AS buyer,
         extract(year FROM l_shipdate) AS shipped,
         l_extendedprice * (1 - l_discount) AS volume
  FROM lineitem
  JOIN supplier ON s_suppkey = l_suppkey
  JOIN orders ON o_orderkey = l_orderkey
  JOIN customer ON c_custkey = o_custkey
  JOIN nation one ON one.n_nationkey = s_nationkey
  JOIN nation other ON other.n_nationkey = c_nationkey
  WHERE l_shipdate BETWEEN DATE '1995-01-01' AND DATE '1996-12-31'
    AND ((one.n_name = 'FRANCE' AND other.n_name = 'GERMANY')
      OR (one.n_name = 'GERMANY' AND other.n_name = 'FRANCE'))
)
SELECT seller, buyer, shipped, sum(volume) AS revenue
FROM shipments
GROUP BY seller, buyer, shipped
ORDER BY seller, buyer, shipped

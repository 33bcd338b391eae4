-- What a year would have brought without its small discounts.
SELECT sum(l_extendedprice * l_discount) AS revenue
FROM lineitem
WHERE l_shipdate >= DATE '1994-01-01'
  AND l_shipdate < DATE '1995-01-01'
  AND l_discount BETWEEN CAST(0.05 AS decimal(15, 2)) AND CAST(0.07 AS decimal(15, 2))
  AND l_quantity < 24

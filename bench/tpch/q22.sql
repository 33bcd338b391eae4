-- Customers of seven countries with money and without orders.
WITH abroad AS (
  SELECT substr(c_phone, 1, 2) AS country, c_custkey, c_acctbal
  FROM customer
  WHERE substr(c_phone, 1, 2) IN ('13', '31', '23', '29', '30', '18', '17')
)
SELECT country, count(*) AS customers, sum(c_acctbal) AS balance
FROM abroad
WHERE CAST(c_acctbal AS double precision) > (
    SELECT avg(CAST(c_acctbal AS double precision)) FROM abroad WHERE c_acctbal > 0
  )
  AND NOT EXISTS (SELECT 1 FROM orders WHERE o_custkey = c_custkey)
GROUP BY country
ORDER BY country

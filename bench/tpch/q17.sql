-- What would be lost in a year without the small orders of a kind of part.
SELECT CAST(sum(l_extendedprice) AS double precision) / 7.0 AS yearly
FROM lineitem
JOIN part ON p_partkey = l_partkey
WHERE p_brand = 'Brand#23'
  AND p_container = 'MED BOX'
  AND CAST(l_quantity AS double precision) < (
    SELECT 0.2 * avg(CAST(same.l_quantity AS double precision))
    FROM lineitem same
    WHERE same.l_partkey = p_partkey
  )

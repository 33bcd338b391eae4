-- Pricing summary of what was shipped until 90 days before December 1998.
SELECT l_returnflag,
       l_linestatus,
       sum(l_quantity) AS quantity,
       sum(l_extendedprice) AS base_price,
       sum(l_extendedprice * (1 - l_discount)) AS discounted,
       sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS charged,
       avg(CAST(l_quantity AS double precision)) AS mean_quantity,
       avg(CAST(l_extendedprice AS double precision)) AS mean_price,
       avg(CAST(l_discount AS double precision)) AS mean_discount,
       count(*) AS orders
FROM lineitem
WHERE l_shipdate <= DATE '1998-09-02'
GROUP BY l_returnflag, l_linestatus
ORDER BY l_returnflag, l_linestatus

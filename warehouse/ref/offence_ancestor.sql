-- Every offence with its parent, its parent's parent, and so on up to the totals.
WITH RECURSIVE ancestor(offence_id, ancestor_id) AS (
    SELECT offence.offence_id, offence.parent_id AS ancestor_id
    FROM ref.offence AS offence
    WHERE offence.parent_id IS NOT NULL
    UNION ALL
    SELECT ancestor.offence_id, parent.parent_id AS ancestor_id
    FROM ancestor
    INNER JOIN ref.offence AS parent ON parent.offence_id = ancestor.ancestor_id
    WHERE parent.parent_id IS NOT NULL
)
SELECT ancestor.offence_id, ancestor.ancestor_id
FROM ancestor

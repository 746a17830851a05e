SELECT field.table_name, field.field_name, field.position, field.type, field.title, field.description
FROM input.field AS field

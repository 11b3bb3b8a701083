// Columns and SQL expressions as the numbers that they are wanted as.

import { columnsText, type Found, isNumeric, itemType, nameOf, type Role } from './columns.js';
import { type Duck, identifier, literal } from './duck.js';
import { duckError } from './duck-errors.js';
import { DataError, printable, quote, UsageError } from './errors.js';
import { type Reading, textOf } from './reading.js';
import type { Relation } from './relation.js';

/** What the options say that labels mean. */
interface LabelMeanings {
  readonly positiveLabel?: string;
  readonly classes?: readonly string[];
}

/** Turns expressions into numbers, or says why they are none. */
export class Conversions {
  constructor(
    private readonly duck: Duck,
    private readonly relation: Relation,
    private readonly reading: Reading,
  ) {}

  /** The text of a column as it is written, where its type is a guess; else what it is. */
  text(expression: string): string {
    const name = nameOf(expression);
    const isText = this.reading.texts.has(name) && this.relation.textual.has(name);
    return isText ? identifier(textOf(name)) : expression;
  }

  async type(expression: string, role: Role): Promise<string> {
    try {
      const from = this.relation.from(this.reading);
      const [{ type }] = await this.duck.describe(`SELECT ${expression} FROM ${from}`);
      const known = this.relation.columns.find(({ name }) => identifier(name) === expression);
      return known?.type === 'DURATION' ? known.type : type;
    } catch (error) {
      throw this.unknown(error, expression, `--${role}`);
    }
  }

  async condition(where: string): Promise<void> {
    try {
      await this.duck.describe(`SELECT 1 FROM ${this.relation.from(this.reading)} WHERE (${where})`);
    } catch (error) {
      throw this.unknown(error, where, '--where');
    }
  }

  private unknown(error: unknown, expression: string, option: string): unknown {
    const message = error instanceof Error ? error.message : '';
    if (!/^(?:Binder|Parser|Catalog) Error/.test(message)) return duckError(error, this.relation.name);
    const text = expression.replace(/^\((.*)\)$/s, '$1').replace(/^"(.*)"$/s, '$1');
    const missing = /Referenced column "|not found in FROM/.test(message) || /syntax error/.test(message);
    const why = missing ? '' : ` (${printable(message.split('\n', 1)[0], 120)})`;
    return new UsageError(
      `${option} expected a column or a SQL expression of ${printable(this.relation.name, 200)}, got ${quote(text)}${why}; it has ${columnsText(this.relation.columns)}`,
    );
  }

  async score(found: Found, role: Role): Promise<string> {
    if (found.expressions.length > 1) {
      throw new UsageError(
        `--${role} expected one column for ${quote(found.label)}, got ${found.expressions.length}; for classes there is --loss softmax, or onehot`,
      );
    }
    const [expression] = found.expressions;
    const type = await this.type(expression, role);
    if (type === 'FLOAT') return expression;
    if (isNumeric(type)) return `CAST(${expression} AS DOUBLE)`;
    const item = itemType(type);
    if (item !== undefined && isNumeric(item)) {
      throw new UsageError(
        `--${role} expected numbers in ${quote(found.label)}, got lists of them; for classes there is --loss softmax, or onehot`,
      );
    }
    throw await this.notNumbers(expression, found.label, type, role);
  }

  async row(found: Found, role: Role): Promise<string> {
    if (found.expressions.length > 1) {
      const columns: string[] = [];
      for (const expression of found.expressions) {
        columns.push(await this.score({ expressions: [expression], label: expression.slice(1, -1) }, role));
      }
      return `list_value(${columns.join(', ')})`;
    }
    const [expression] = found.expressions;
    const type = await this.type(expression, role);
    const item = itemType(type);
    if (item !== undefined && isNumeric(item))
      return `CAST(${expression} AS ${item === 'FLOAT' ? 'FLOAT' : 'DOUBLE'}[])`;
    throw new UsageError(
      `--${role} expected a list of each row's classes, or a pattern such as 'logit_*', got ${quote(found.label)} of type ${type}`,
    );
  }

  async target(found: Found, wanted: LabelMeanings): Promise<string> {
    if (found.expressions.length > 1) return this.row(found, 'targets');
    const [expression] = found.expressions;
    const type = await this.type(expression, 'targets');
    const text = this.text(expression);
    if (wanted.positiveLabel !== undefined) return equals(expression, type, text, wanted.positiveLabel);
    if (wanted.classes !== undefined) {
      const position = positionOf(expression, type, text, wanted.classes);
      return `CASE WHEN ${expression} IS NULL THEN NULL ELSE coalesce(${position}, 0) - 1.0::DOUBLE END`;
    }
    if (type === 'BOOLEAN') return `CAST(${expression} AS UTINYINT)`;
    if (type === 'FLOAT' || type === 'UTINYINT') return expression;
    if (isNumeric(type)) return `CAST(${expression} AS DOUBLE)`;
    const item = itemType(type);
    if (item !== undefined && isNumeric(item)) return `CAST(${expression} AS FLOAT[])`;
    throw await this.notNumbers(expression, found.label, type, 'targets');
  }

  private async notNumbers(expression: string, label: string, type: string, role: Role): Promise<Error> {
    const { name } = this.relation;
    let got = `type ${type}`;
    let hint = '';
    if (type === 'VARCHAR' || type.startsWith('ENUM')) {
      const text = type === 'VARCHAR' ? expression : `CAST(${expression} AS VARCHAR)`;
      const bad = `TRY_CAST(${text} AS DOUBLE) IS NULL AND ${text} IS NOT NULL`;
      const rows = await this.duck
        .rows(`SELECT ${text} AS cell FROM ${this.relation.from()} WHERE ${bad} LIMIT 1`)
        .catch(() => []);
      got = rows.length > 0 ? `text such as ${quote(String(rows[0].cell))}` : 'text';
      hint =
        role === 'targets'
          ? '; --positive-label or --classes says what it means'
          : rows.length === 0
            ? `; --${role} 'CAST(${label} AS DOUBLE)' reads it`
            : '';
    }
    return new DataError(name, `expected numbers in column ${quote(label)}, got ${got}${hint}`);
  }
}

const BOOLEAN = /^(?:true|false)$/i;

/** Whether a label is the positive one: by number where both are numbers, else by text. */
function equals(expression: string, type: string, text: string, label: string): string {
  const number = Number(label);
  const comparison =
    type === 'BOOLEAN' && (BOOLEAN.test(label) || /^[01]$/.test(label))
      ? `${expression} = ${/^(?:true|1)$/i.test(label)}`
      : isNumeric(type) && label.trim() !== '' && Number.isFinite(number)
        ? `${expression} = ${number}`
        : `CAST(${text} AS VARCHAR) = ${literal(label)}`;
  return `CAST((${comparison}) AS UTINYINT)`;
}

/** The position of a label among those of the classes, from 1: by number where all are numbers, else by text. */
function positionOf(expression: string, type: string, text: string, classes: readonly string[]): string {
  if (isNumeric(type) && classes.every((label) => Number.isFinite(Number(label))))
    return `list_position([${classes.map((label) => `${Number(label)}::DOUBLE`).join(', ')}], CAST(${expression} AS DOUBLE))`;
  const isBoolean = type === 'BOOLEAN' && classes.every((label) => BOOLEAN.test(label));
  const labels = classes.map((label) => literal(isBoolean ? label.toLowerCase() : label));
  return `list_position([${labels.join(', ')}], CAST(${isBoolean ? expression : text} AS VARCHAR))`;
}

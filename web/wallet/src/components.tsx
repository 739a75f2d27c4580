// The few things that every page is made of.
import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import { Button } from 'react-aria-components/Button';
import { Checkbox } from 'react-aria-components/Checkbox';
import { TextField, Label, Input, Text } from 'react-aria-components/TextField';

import { useWords, useWordsOr } from './text.js';
import { go, useAddress } from './router.js';

/** A page's heading. It takes the focus when the page comes, so that it is read out first. */
export function Title({ children }: { readonly children: string }) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${children} · RealDID`;
    ref.current?.focus();
  }, [children]);
  return (
    <h1 ref={ref} tabIndex={-1}>
      {children}
    </h1>
  );
}

/** Something to do. `main`: what most people come for. While it is `busy` it keeps the focus and does nothing. */
export function Action(props: {
  readonly children: string;
  readonly onPress: () => void;
  readonly main?: boolean;
  readonly busy?: boolean;
}) {
  const { children, onPress, main = false, busy = false } = props;
  return (
    <Button className={main ? 'button main' : 'button'} aria-disabled={busy} onPress={() => !busy && onPress()}>
      {children}
    </Button>
  );
}

/** A line of text to be typed. */
export function Field(props: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: string;
  readonly type?: 'text' | 'password';
  readonly autoComplete?: string;
  readonly inputMode?: 'text' | 'numeric';
}) {
  const { label, value, onChange, hint, type = 'text', autoComplete = 'off', inputMode = 'text' } = props;
  return (
    <TextField className="field" value={value} onChange={onChange} type={type} autoComplete={autoComplete} inputMode={inputMode}>
      <Label>{label}</Label>
      <Input />
      {hint !== undefined && (
        <Text slot="description" className="quiet small">
          {hint}
        </Text>
      )}
    </TextField>
  );
}

/** Yes or no. */
export function Check(props: { readonly children: string; readonly selected: boolean; readonly onChange: (value: boolean) => void }) {
  const { children, selected, onChange } = props;
  return (
    <Checkbox className="check" isSelected={selected} onChange={onChange}>
      <span className="box" aria-hidden="true" />
      <span>{children}</span>
    </Checkbox>
  );
}

/** What the reader should know before going on. */
export function Notice(props: { readonly kind?: 'info' | 'warn' | 'bad'; readonly title?: string; readonly children: ReactNode }) {
  const { kind = 'info', title, children } = props;
  return (
    <div className={`notice ${kind}`} role={kind === 'bad' ? 'alert' : undefined}>
      {title !== undefined && <h2>{title}</h2>}
      {children}
    </div>
  );
}

/** A failure: what happened, what to do, and the code for whoever helps. */
export function Trouble({ code, said }: { readonly code: string; readonly said?: string | undefined }) {
  const [say, sayOr] = [useWords(), useWordsOr()];
  const id = sayId(code);
  return (
    <Notice kind="bad" title={sayOr(id, 'error-internal_error')}>
      <p>{sayOr(`${id}-do`, 'error-internal_error-do')}</p>
      <p className="small">
        {say('error-code')} <code>{said === undefined ? code : `${code}: ${said}`}</code>
      </p>
    </Notice>
  );
}

function sayId(code: string): string {
  return `error-${code.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`;
}

/** That something takes a while, and how far it is. */
export function Progress({ label, part }: { readonly label: string; readonly part?: number | undefined }) {
  return (
    <div role="status">
      <p>{label}</p>
      <progress aria-label={label} max={1} {...(part === undefined ? {} : { value: part })} />
    </div>
  );
}

/** A link to another view of the wallet. */
export function View({ to, children, className }: { readonly to: string; readonly children: ReactNode; readonly className?: string }) {
  const here = useAddress().pathname;
  return (
    <a
      href={to}
      className={className}
      aria-current={here === to ? 'page' : undefined}
      onClick={(event) => {
        if (!event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0) {
          event.preventDefault();
          go(to);
        }
      }}
    >
      {children}
    </a>
  );
}

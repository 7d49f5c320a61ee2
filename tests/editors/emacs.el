;; SPDX-License-Identifier: Apache-2.0
;; What a person does in Emacs: look at mistakes, mend one, complete, look things up, go to them, format.
(require 'eglot)
(require 'flymake)
(require 'xref)

(defvar failed nil)

(defun same (what is expected)
  (unless (equal is expected)
    (setq failed t)
    (message "%s: is %S and not %S" what is expected)))

(defun wait (what condition)
  (with-timeout (20 (error "no %s" what))
    (while (not (funcall condition))
      (accept-process-output nil 0.02))))

(defun shown ()
  (flymake-start)
  (mapcar (lambda (one)
            (list (buffer-substring-no-properties (flymake-diagnostic-beg one) (flymake-diagnostic-end one)) (flymake-diagnostic-text one)))
          (flymake-diagnostics)))

(defun before (text)
  (goto-char (point-min))
  (search-forward text)
  (goto-char (match-beginning 0)))

(defun session ()
  (find-file "web.yaml")
  (run-hooks 'post-command-hook) ; of a person's last key
  (wait "server" #'eglot-managed-p)
  (wait "mistake" #'shown)
  (same "a mistake" (shown) '(("risk.scroe" "pdpctl [UNKNOWN]: there is no attribute `risk.scroe`\nhint: did you mean `risk.score`?")))
  (before "scroe")
  (delete-char 5)
  (insert "sco")
  (completion-at-point) ; there is but one
  (same "completed" (buffer-substring-no-properties (line-beginning-position) (line-end-position)) "    when: risk.score > 60")
  (wait "mended text" (lambda () (null (shown))))
  (before "office &&")
  (let (said)
    (eglot-hover-eldoc-function (lambda (text &rest _) (setq said (substring-no-properties text))))
    (wait "hover" (lambda () said))
    (same "hover" (replace-regexp-in-string "[*`]" "" said) "variable office\n\nnetwork.ip in lists.offices\n\ntype: bool"))
  (before "kind: Policy")
  (forward-char 5)
  (insert "  ")
  (eglot-format-buffer)
  (before "kind:")
  (same "formatted" (buffer-substring-no-properties (line-beginning-position) (line-end-position)) "kind: Policy")
  (before "offices")
  (call-interactively #'xref-find-definitions)
  (same "definition" (list (buffer-name) (line-number-at-pos) (current-column)) '("lists.yaml" 3 17))
  (eglot-shutdown (eglot-current-server)))

(condition-case why
    (session)
  (error (setq failed t) (message "%S" why)))
(message (if failed "not as expected" "as expected"))
(kill-emacs (if failed 1 0))
